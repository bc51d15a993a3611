"""The engine: it connects settings, edges, journal, rules and workers, and runs them until told to stop.

Decisions are made in `rules`; `matrix`, `inventree` and `journal` touch the world.
"""
