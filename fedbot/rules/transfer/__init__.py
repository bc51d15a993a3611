"""Transfers from the request to the end: offer, request, decision, sending, receiving, parcels, disputes."""
