"""A connection from asking to its end: connect, provision, rotate tokens, move to an upgraded room, disconnect."""
