"""What `make bench` measures: time, memory, calls and events of real processes on this machine (docs/performance.md).

No product code and no tests live here: a test never fails because a machine is slow.
"""
