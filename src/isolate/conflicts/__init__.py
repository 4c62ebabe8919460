"""Which applications could not share one environment, and the pins that prevent it."""
