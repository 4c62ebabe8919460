"""Which Python an application gets."""
