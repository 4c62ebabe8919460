"""An application's `.venv`: its skeleton, its contents, how changes are staged and switched, and what is remembered."""
