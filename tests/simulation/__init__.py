"""The deterministic simulation: parties, one clock, one seeded random source, and everything going wrong.

The rules, engine, journal, courier, workers and InvenTree edge are real, the servers simulated. It uses no sockets,
files or threads.
"""
