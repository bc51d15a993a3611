"""Sharing, searching, matching parts, and the provenance of stock (no passing on)."""
