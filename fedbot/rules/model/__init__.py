"""The data of the rules, frozen: documents, events, effects, queries and steps. No rule is decided here."""
