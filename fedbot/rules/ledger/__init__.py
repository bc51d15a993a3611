"""What is told of the past: figures, history, comparing books, and going on after a loss."""
