"""The Matrix edge: signing in, reading syncs, the format of messages, and the order of sending.

`rules` decides what a message means, and `engine` what is sent and when.
"""
