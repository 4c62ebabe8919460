"""The up-to-date check: everything that "nothing to do" depends on."""
