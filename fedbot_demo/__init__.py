"""The demo, and the base of the end-to-end tests: a real homeserver, scripted people, a simulated InvenTree.

Nothing here runs in a makerspace's bot. Only `cli` may import it.
"""
