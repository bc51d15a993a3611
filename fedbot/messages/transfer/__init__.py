"""Sentences about a transfer: the offer, the card, its end, bookings, disputes, and a request to anyone."""
