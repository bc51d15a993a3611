"""The catalogues of other languages in `fedbot/messages/locale`: brought up to date by `make words`, and tested."""
