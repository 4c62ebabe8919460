"""Which module a file below `__pycache__` was compiled from, and which files were compiled from a module."""

from __future__ import annotations

import glob


def source_of(path: str) -> str | None:
    """Return the module that the file *path* was compiled from (PEP 3147); None if it is not a compiled file."""
    directory, _, name = path.rpartition("/")
    if not name.endswith(".pyc") or not directory.endswith("__pycache__"):
        return None
    return f"{directory.removesuffix('__pycache__')}{name.split('.', 1)[0]}.py"


def compiled_files(venv: str, source: str) -> list[str]:
    """Return the files that were compiled from the module *source*; all paths are relative to *venv*."""
    directory, _, name = source.rpartition("/")
    pattern = f"{glob.escape(directory)}/__pycache__/{glob.escape(name[:-3])}.*.pyc"
    return [path for path in glob.glob(pattern, root_dir=venv) if source_of(path) == source]
