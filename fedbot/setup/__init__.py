"""`fedbot init`: its questions, what it looks up, and what it creates for a makerspace's bot.

`plan` and `people` are pure: they decide what to do with what was found. `inventree` and `matrix` look things up and
create them, `written` writes the files, `asking` asks the questions, and `conversation` connects all of it.
"""
