"""Whether an application is a project that a build backend can build, and which of its files say so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from isolate.bounded_read import read_bounded
from isolate.declarations.declared import ALL_DYNAMIC, BACKEND_FILES, Project
from isolate.declarations.toml_file import unreadable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from isolate.declarations.toml_file import TomlFile

SETUPTOOLS = "setuptools"
"""The distribution of the backend that pip uses where none is named. It reads `setup.py` and `setup.cfg`."""

DECLARES_PROJECT = re.compile(rb"^\[(metadata|options)\]", re.MULTILINE)
"""Matches a `setup.cfg` that describes a project. Others only configure tools."""


def is_built(file: TomlFile, dynamic: Collection[str]) -> bool:
    """Return whether the project in `[project]` of *file* is built.

    It is if there is a `[build-system]`, or if a build alone can tell what it depends on, by pip's default backend.
    """
    return "build-system" in file.table or not {"dependencies", "optional-dependencies"}.isdisjoint(dynamic)


def is_named_by_backend(file: TomlFile) -> bool:
    """Return whether `[build-system]` of *file*, which has no `[project]`, names a backend with a format of its own.

    setuptools is not one: it needs a `setup.py` or a `setup.cfg`, which `setuptools_project` looks for.
    """
    if "build-system" not in file.table:
        return False
    table = file.mapping(file.table, "build-system")
    backend = file.string(table, "build-backend", "build-system.build-backend") or SETUPTOOLS
    return backend.partition(".")[0].partition(":")[0] != SETUPTOOLS


def setuptools_project(root: Path, *, with_pyproject: bool) -> tuple[Project, Mapping[Path, bytes]] | None:
    """Return the project that setuptools finds in *root*, and the files that say so; None if there is none.

    pip builds a directory that has a `setup.py` or, *with_pyproject*, a `pyproject.toml`. Raises `DeclarationError` if
    one of the files cannot be read.
    """
    contents = {}
    for path in (root / name for name in BACKEND_FILES):
        try:
            contents[path] = read_bounded(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise unreadable(path, error) from None
    setup, config = (root / name for name in BACKEND_FILES)
    if setup not in contents and not (with_pyproject and DECLARES_PROJECT.search(contents.get(config, b""))):
        return None
    return Project(file=next(iter(contents)), is_package=True, dynamic=ALL_DYNAMIC), contents
