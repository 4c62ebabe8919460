"""The seed: the pip that a new environment starts with."""
