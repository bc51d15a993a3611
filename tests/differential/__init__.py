"""Random sequences of fedbot's calls on a real InvenTree and on the simulated one of the same version."""
