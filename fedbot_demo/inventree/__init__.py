"""A simulated InvenTree (API 530) that behaves as the recorded servers do: for the demo, tests and benches.

It holds none of fedbot's rules and no client of a real InvenTree (that is `fedbot.inventree`).
"""
