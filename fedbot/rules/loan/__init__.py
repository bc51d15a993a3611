"""What is different about a loan: terms, hand back, extend, end, write off, reminders and photos."""
