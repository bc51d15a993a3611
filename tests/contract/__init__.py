"""What fedbot relies on of InvenTree, on the simulator or on a real server that may be written to."""
