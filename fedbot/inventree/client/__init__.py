"""Calls to an InvenTree: the transport and its limits, errors, versions, and rows of its lists."""
