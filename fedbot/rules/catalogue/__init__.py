"""Sharing, searching, matching parts, and the provenance of stock (which forbids passing it on)."""
