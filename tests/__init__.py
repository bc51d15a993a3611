"""Tests, in folders that mirror fedbot/; the others are named after what their tests run on."""
