"""What we say to pip, and what it answers."""
