"""What a demo and the end-to-end tests stand on: a real homeserver, scripted people, a simulated InvenTree.

Nothing here runs in a makerspace's bot, and nothing outside of `cli` may import it.
"""
