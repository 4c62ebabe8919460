"""The directories that a pattern of `[tool.isolate] applications` names, none of them outside the repository."""

from __future__ import annotations

import fnmatch
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MAX_PARTS = 20
"""The most directory names in a pattern: each may match every directory of the repository."""

ANY_DEPTH = "**"


def matching_directories(pattern: str, root: Path, top: Path) -> list[str]:
    """Return the directories that the glob *pattern* matches, relative to *root*, which is in or below *top*.

    What a link leads to outside *top* does not match. Raises `ValueError` for a pattern that is not valid, or that
    leaves *top* itself.
    """
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    if pattern.startswith("/") or "\0" in pattern or not 0 < len(parts) <= MAX_PARTS:
        raise ValueError(pattern)
    directories = [str(root)]
    for number, part in enumerate(parts):
        if ANY_DEPTH in part and part != ANY_DEPTH:
            raise ValueError(pattern)
        if part == ANY_DEPTH == parts[number - 1] and number:  # twice in a row means the same
            continue
        found = [*dict.fromkeys(path for directory in directories for path in _expanded(directory, part))]
        directories = [path for path in found if _is_in(path, top)]
        if part == os.pardir and len(directories) < len(found):
            raise ValueError(pattern)
    return directories


def _expanded(directory: str, part: str) -> Iterable[str]:
    """Return the directories that *part* of a pattern matches in *directory*."""
    if part == ANY_DEPTH:
        return (path for path, _, _ in os.walk(directory))
    if not any(char in part for char in "*?["):
        path = os.path.join(directory, part)
        return [path] if os.path.isdir(path) else []
    return _matching(directory, part)


def _matching(directory: str, part: str) -> Iterator[str]:
    try:
        with os.scandir(directory) as entries:
            yield from sorted(
                entry.path for entry in entries if fnmatch.fnmatchcase(entry.name, part) and entry.is_dir()
            )
    except OSError:
        return


def _is_in(path: str, top: Path) -> bool:
    return os.path.join(os.path.realpath(path), "").startswith(os.path.join(os.path.realpath(top), ""))
