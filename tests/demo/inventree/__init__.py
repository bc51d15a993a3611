"""The simulated InvenTree beyond the recordings: what was measured on real servers, and what serves it."""
