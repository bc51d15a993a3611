"""The simulated InvenTree beyond the recordings: what facts/inventree.md tells, and what serves it."""
