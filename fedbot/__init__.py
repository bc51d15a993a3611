"""fedbot: a Matrix bot with which makerspaces lend, give and request stock held in their InvenTree servers.

What lives here: entry, settings and wiring. The rules are in `federation`, the edges in `chat` and `inventree`.
"""
