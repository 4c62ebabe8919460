"""What an application asks for: `pyproject.toml`, requirements files. Read only; no network, no other program."""
