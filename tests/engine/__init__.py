"""The parts of the wiring, each on its fakes. Whole conversations are in tests/dialogue, real processes
in tests/e2e.
"""
