"""The protocol on the wire: one recorded message of each kind, which every later version has to read the same."""
