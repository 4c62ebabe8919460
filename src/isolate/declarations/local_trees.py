"""What the source trees on this machine, from which an application installs, take from sources of their own.

pip knows the requirements of such a tree by name alone, and would take them from an index.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_name

from isolate.declarations.limits import MAX_REQUIREMENTS
from isolate.declarations.sources import limited

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from isolate.declarations.declared import DeclaredRequirement


class Tree(NamedTuple):
    """The `pyproject.toml` of a source tree: its bytes, and its requirements, each from its source."""

    content: bytes
    requirements: tuple[DeclaredRequirement, ...]


def through_trees(
    declared: Iterable[DeclaredRequirement], read: Callable[[Path], Tree], root: Path
) -> tuple[list[DeclaredRequirement], dict[Path, bytes]]:
    """Return what the trees of *declared*, requirements of *root*, take from elsewhere than an index, and their files.

    *read* returns the content of a `pyproject.toml`. Each requirement counts where that of its tree does.
    """
    found: list[DeclaredRequirement] = []
    contents: dict[Path, bytes] = {}
    seen = set[tuple[object, ...]]()
    todo = [entry for entry in declared if _is_tree(entry)]
    trees: dict[Path, Tree] = {}
    while todo and len(found) < MAX_REQUIREMENTS:
        entry = todo.pop()
        if entry.path is None or entry.path == root or entry.requirement is None:
            continue
        file = entry.path / "pyproject.toml"
        if file not in trees:
            trees[file] = read(file)
            contents[file] = trees[file].content
        extras = {None, *map(canonicalize_name, entry.requirement.extras)}
        for needed in trees[file].requirements:
            if needed.url is None or needed.group is not None or needed.extra not in extras or needed.path == root:
                continue
            marker = entry.requirement.marker
            below = needed if marker is None else limited(needed, str(marker))
            below = below._replace(extra=entry.extra, group=entry.group)
            key = (below.text, below.extra, below.group)
            if key not in seen:
                seen.add(key)
                found.append(below)
                todo += [below] if _is_tree(below) else []
    return found, contents


def _is_tree(entry: DeclaredRequirement) -> bool:
    return entry.path is not None and os.path.isfile(entry.path / "pyproject.toml")
