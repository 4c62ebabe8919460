"""What was decided: `pylock.toml` (PEP 751), how it comes about, what it says for an interpreter, if it is fresh."""
