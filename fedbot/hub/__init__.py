"""Hosting: spaces whose journals are in one PostgreSQL database, each run by one of several workers at a time."""
