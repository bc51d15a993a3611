"""The envelope on the wire, signed and sealed, and the ids that both sides compute."""
