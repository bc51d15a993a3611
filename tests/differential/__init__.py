"""Random sequences of the calls that fedbot makes, on a real InvenTree and on the simulated one of the same version."""
