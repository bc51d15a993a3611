"""The wiring's parts, each on its fakes; whole conversations are in tests/dialogue, real processes in tests/e2e."""
