"""What `fedbot check` looks at: settings, Matrix, InvenTree; each finding good, or with what to do.

Reads only, apart from signing in once, as `run` would; what it finds is not acted upon here.
"""
