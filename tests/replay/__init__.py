"""The recorded exchanges of real InvenTree servers, replayed against the simulated one."""
