"""Builders of situations for tests: whole bots in one process, made-up spaces, people and transfers."""
