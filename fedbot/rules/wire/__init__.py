"""The envelope as it travels, signed and sealed, and the ids that both sides compute."""
