"""One short file for each thing that a user can say."""
