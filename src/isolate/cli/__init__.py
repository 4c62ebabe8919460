"""The command line: what a user can say, and the only room that prints or exits."""
