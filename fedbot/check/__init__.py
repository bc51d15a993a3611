"""What `fedbot check` looks at: settings, Matrix, InvenTree. Each finding is OK or says how to fix it.

It only reads, except that it signs in once as `run` would.
"""
