"""What people decide on, and what exactly they agree to. Which reaction counts, and when: `rules.decisions`."""
