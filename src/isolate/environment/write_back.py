"""Bring what was written into a tree to the disk before a stamp says that the tree is complete."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from isolate import fs
from isolate.environment.file_records import installed_files
from isolate.environment.installed import metadata_files
from isolate.environment.records import DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from isolate.environment.installed import Installed


def write_back(tree: Path, installed: Mapping[str, Installed]) -> None:
    """Wait until the files of *installed*, those that `venv` created and the records in *tree* are on the disk.

    Those that are hard links to the store are so since the store has them.
    """
    paths = [f"{tree}/pyvenv.cfg", f"{tree}/.gitignore"]
    for part in (DIRECTORY, "bin"):
        for directory, _, names in os.walk(tree / part):
            paths += [f"{directory}/{name}" for name in names]
    for dist in installed.values():
        paths += [f"{tree}/{path}" for path in _written_files(tree, dist)]
    fs.write_back(paths)


def _written_files(tree: Path, dist: Installed) -> Iterator[str]:
    """Yield the files of *dist* that are not links to the store: all of them, or those written for this environment."""
    rewritten = {file.path for file in dist.rewritten}
    yield from rewritten
    if not _is_linked(tree, dist):
        yield from (file.path for file in installed_files(tree, dist) if file.path not in rewritten)


def _is_linked(tree: Path, dist: Installed) -> bool:
    """Return whether the files of *dist* are links to the store, as METADATA is, which every distribution has."""
    try:
        return os.lstat(f"{tree}/{metadata_files(dist)[0]}").st_nlink > 1
    except (OSError, IndexError):
        return False
