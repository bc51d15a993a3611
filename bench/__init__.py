"""The measurements of `make bench`: time, memory, calls and events of real processes (docs/performance.md).

It contains no product code and no tests: a test never fails because a machine is slow.
"""
