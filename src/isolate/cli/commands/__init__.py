"""One file for each command: its arguments, options and help."""
