"""The Matrix edge: signing in, reading syncs, what messages look like on the wire, the order of sending.

What a message means does not live here (`rules`), nor what is sent when (`engine`).
"""
