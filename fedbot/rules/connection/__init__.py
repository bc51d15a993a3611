"""A connection from the request to its end: connect, provision, rotate tokens, move to an upgraded room, disconnect."""
