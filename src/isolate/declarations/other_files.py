"""Files beside the declarations that are not read, and what to do to use them."""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING

from isolate.bounded_read import read_bounded
from isolate.declarations.build_system import DECLARES_PROJECT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from isolate.declarations.declared import Declarations

CONDA_FILES = ("environment.yml", "environment.yaml")
LOCKS = {
    "uv.lock": "pyproject.toml",
    "poetry.lock": "pyproject.toml",
    "pdm.lock": "pyproject.toml",
    "Pipfile.lock": "Pipfile",
}
"""Locks of other tools, each with the file whose requirements it locks."""

WAYS = {
    "requirements.txt": "`isolate sync -r requirements.txt` uses it",
    "setup.py": "`-e .` in requirements.txt installs it",
}
"""How to use a file that is not read."""

MAX_SHOWN = 5
"""How many files of one kind a message names."""


def unused_files(root: Path) -> tuple[str, ...]:
    """Return a line for each file in *root*, which has no declarations, that looks like one, with what uses it."""
    names = _names(root)
    conda = [name for name in CONDA_FILES if name in names]
    locks = [name for name, file in LOCKS.items() if name in names and file not in names]
    return (
        *_requirements(root, names),
        *(f"{name} is for conda: list what pip is to install in a requirements.txt" for name in conda),
        *(f"{name} is the lock of a {LOCKS[name]}, which is not there" for name in locks),
        *_setup_config(root, names),
    )


def _names(root: Path) -> list[str]:
    try:
        return sorted(os.listdir(root))
    except OSError:
        return []


def _requirements(root: Path, names: Collection[str]) -> Iterator[str]:
    found = [name for name in names if name.endswith((".txt", ".in")) and _is_close(name)]
    below = [f"requirements/{name}" for name in _names(root / "requirements") if name.endswith((".txt", ".in"))]
    for name in (*found, *below)[:MAX_SHOWN]:
        yield f"{name} is there: run `isolate sync -r {name}` to use it"
    if "pipfile" in map(str.lower, names) and "Pipfile" not in names:
        yield "pipfile is there, but its name is written `Pipfile`"


def _is_close(name: str) -> bool:
    """Return whether *name* is that of a requirements file, perhaps a misspelt one."""
    stem = name.rpartition(".")[0].lower()
    return "requirements" in stem or bool(difflib.get_close_matches(stem, ["requirements"], 1, 0.8))


def _setup_config(root: Path, names: Collection[str]) -> Iterator[str]:
    if "setup.cfg" not in names or "setup.py" in names:
        return
    try:
        declares = DECLARES_PROJECT.search(read_bounded(root / "setup.cfg"))
    except OSError:
        return
    if declares:
        yield "setup.cfg is there: pip builds it if there is a pyproject.toml with a [build-system], too"


def unread_files(declarations: Declarations, built_from: Collection[str]) -> list[str]:
    """Return a line for each file beside *declarations* that declares requirements, too, and is not read.

    *built_from* are the files that the build backend reads, relative to the application.
    """
    root, read = declarations.root, {file.name for file in declarations.files if file.parent == declarations.root}
    used = ", ".join(sorted(read))
    is_package = declarations.project is not None and declarations.project.is_package
    lines = []
    for name in ("requirements.txt", "Pipfile", "setup.py"):
        if name in (*read, *built_from) or not (root / name).is_file() or (name == "setup.py" and is_package):
            continue
        way = f"; {WAYS[name]}" if name in WAYS else ""
        lines.append(f"not read: {name}, because of {used}{way}")
    return lines
