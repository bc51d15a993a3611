"""Loans: their terms, returns, extensions, end and write-off, reminders, photos, bookings and the waiting list."""
