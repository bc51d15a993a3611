"""The deterministic simulation: parties, one clock, one seeded random, everything going wrong.

Real rules, engine, journal, courier, lanes, InvenTree edge and simulated servers; no sockets, files or threads.
"""
