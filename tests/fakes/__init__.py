"""In-memory fakes of the ports, for tests without servers: deterministic, with the same interfaces as the real ones.

Neither tests nor product code belong here.
"""
