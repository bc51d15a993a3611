"""The command line, one file a command. `main` reads the arguments."""
