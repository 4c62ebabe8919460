"""The files from which a build backend reads the metadata of a source tree."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from isolate.bounded_read import read_bounded

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator

METADATA_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
"""Where a build backend reads names, versions and requirements, whatever the project says."""

MAX_FILES = 100
"""The most other files that count."""


def metadata_files(tree: str) -> tuple[str, ...]:
    """Return the files that hold the metadata of the source *tree*, existing or not, relative to it.

    Besides `METADATA_FILES`, they are those that its `pyproject.toml` names: the readme and the license, what dynamic
    fields are read from, and `[tool.isolate] metadata-files`.
    """
    try:
        table = tomllib.loads(read_bounded(f"{tree}/pyproject.toml").decode())
        named = [name for name in _named(table) if _is_inside(name)]
    except (OSError, ValueError, RecursionError):
        named = []
    return (*METADATA_FILES, *[*dict.fromkeys(named)][:MAX_FILES])


def _named(table: dict[str, Any]) -> Iterator[str]:
    project, tool = _table(table, "project"), _table(table, "tool")
    for field in (project.get("readme"), project.get("license")):
        yield from _files(field)
    for field in _table(_table(tool, "setuptools"), "dynamic").values():
        yield from _files(field if isinstance(field, dict) else None)
    yield from _files(_table(_table(tool, "hatch"), "version").get("path"))
    yield from _files(_table(tool, "isolate").get("metadata-files"))


def _table(table: dict[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def _files(field: Any) -> Iterator[str]:
    """Yield the paths in *field*: a path, a list of paths, or a table with a `file` or with an `attr` of a module."""
    if isinstance(field, dict):
        yield from _files(field.get("file"))
        if isinstance(attribute := field.get("attr"), str):
            module = attribute.rpartition(".")[0].replace(".", "/")
            yield from (f"{top}{module}{end}" for top in ("", "src/") for end in (".py", "/__init__.py") if module)
    elif isinstance(field, str):
        yield field
    elif isinstance(field, list):
        yield from (item for item in field if isinstance(item, str))


def _is_inside(name: str) -> bool:
    """Return whether the path *name* is relative and does not leave the tree."""
    return bool(name) and "\0" not in name and not os.path.isabs(name) and os.pardir not in name.split("/")
