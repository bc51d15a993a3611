"""The command line, one file for each command. `parser` has the arguments, `main` runs the command."""
