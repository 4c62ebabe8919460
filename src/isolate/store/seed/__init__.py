"""The first pip of an environment."""
