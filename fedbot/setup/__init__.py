"""`fedbot init`: what it asks, finds and does, so that a makerspace's bot can begin.

`plan` and `people` are pure: what will be done, given what was found. `inventree` and `matrix` find and do it,
`written` makes the files, `asking` puts the questions, and `conversation` is the way through all of it.
"""
