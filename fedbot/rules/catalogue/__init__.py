"""What can be had: sharing, searching, matching parts, and where stock came from (no passing on)."""
