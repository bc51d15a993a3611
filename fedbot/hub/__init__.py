"""Spaces that live in a database and are worked for by one of several workers at a time."""
