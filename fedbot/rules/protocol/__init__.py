"""What bots say to each other: the terms of a transfer, the order of messages, announcements, room upgrades."""
