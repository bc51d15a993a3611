"""The past: figures, history, comparing books, and recovery after a loss."""
