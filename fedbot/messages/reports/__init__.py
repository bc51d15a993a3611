"""The ledger of transfers, figures, and the comparison of books, as people read them."""
