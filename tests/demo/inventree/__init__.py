"""The simulated InvenTree beyond the recordings: behaviour measured on real servers, and its server process."""
