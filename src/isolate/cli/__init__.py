"""The command line: arguments, exit codes and everything that is printed."""
