"""A simulated InvenTree (API 530) that behaves as the recorded servers do: for the demo, tests and benches.

Here lives no rule of fedbot, and nothing that talks to a real InvenTree (that is `fedbot.inventree`).
"""
