"""The Matrix edge: signing in, reading syncs, what messages look like on the wire, the order of sending.

What a message means is in `rules`; what is sent when is in `engine`.
"""
