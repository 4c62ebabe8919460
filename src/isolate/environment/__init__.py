"""An application's `.venv`: its template, its contents, its records, and how it is created, updated and verified."""
