"""The catalogues of other languages in `fedbot/chat/words/locale`: brought up to date by `make words`, and tested."""
