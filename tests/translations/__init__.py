"""The catalogues of other languages in `fedbot/messages/locale`: updated by `make words`, and tested."""
