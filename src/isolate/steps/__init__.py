"""What the commands are made of: steps that several of them take."""
