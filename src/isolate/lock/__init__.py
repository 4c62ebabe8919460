"""`pylock.toml` (PEP 751): make one, read it, select from it for an interpreter, and tell whether it is fresh."""
