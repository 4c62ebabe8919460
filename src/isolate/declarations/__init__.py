"""What an application declares: `pyproject.toml` and requirements files. It only reads files."""
