"""Sentences about a connection: how it begins and ends, its keys, its access, and its rooms."""
