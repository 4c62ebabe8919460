"""Which applications cannot share an environment, and the pins that prevent it."""
