"""The ports between the rules and the world. The tests use an in-memory fake for each.

`engine` uses the real ones: Chat is `matrix.client`, Inventory `inventree.inventory`, Journal `journal.journal`.
"""
