"""The checks of `fedbot check`: settings, Matrix, InvenTree. Each finding is OK or says how to fix it.

They only read, except that they sign in once as `run` would.
"""
