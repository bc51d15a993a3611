"""In-memory fakes of the ports, for tests without servers: deterministic, of the same shapes as the real ones.

Tests do not live here, nor does anything that a product file could import.
"""
