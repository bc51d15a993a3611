"""The Matrix edge: signing in, reading syncs, what messages look like on the wire, the order of sending.

What a message means does not live here (`federation`), nor what is sent when (`app`).
"""
