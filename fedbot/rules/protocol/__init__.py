"""The protocol between bots: the terms of a transfer, the order of messages, announcements, room upgrades."""
