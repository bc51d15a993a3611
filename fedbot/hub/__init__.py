"""Hosting: spaces whose journals are in one PostgreSQL database. One of several workers at a time runs each space."""
