"""The protocol as it goes on the wire: one recorded message a kind, which every later version has to read alike."""
