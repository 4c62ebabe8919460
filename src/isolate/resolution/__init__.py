"""Which lock holds for an application, and a new one where none does."""
