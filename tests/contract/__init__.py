"""The InvenTree behaviour that fedbot relies on, tested on the simulator or on a real server that may be changed."""
