"""Which distribution owns a file of an environment that several install. Pure.

Each file has one owner, whose content is in the environment. For the other distributions that install it, the file is
*overridden*: it is none of theirs to check or to remove, whether its content is the same or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from isolate.errors import InvalidDistribution

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from isolate.lock.precedence import Precedence

Overridden = Mapping[str, tuple[str, ...]]
"""The overridden files of one distribution, in order, by the name of their owner."""

NOTHING: Overridden = {}
"""Of a distribution that shares no file, as nearly every one."""


def overridden_files(files: Mapping[str, Iterable[str]], precedence: Precedence) -> dict[str, Overridden]:
    """Return the overridden files of each distribution that has some.

    *files* has the paths of all distributions of an environment by name. Raises `InvalidDistribution` if one has a file
    where another has a directory.
    """
    installers = _installers(files)
    _reject_obstructions(installers)
    overridden: dict[str, dict[str, list[str]]] = {}
    for path in sorted(path for path, names in installers.items() if len(names) > 1):
        owner = precedence.owner(installers[path])
        for name in installers[path]:
            if name != owner:
                overridden.setdefault(name, {}).setdefault(owner, []).append(path)
    return {
        name: {owner: tuple(paths) for owner, paths in sorted(by_owner.items())}
        for name, by_owner in overridden.items()
    }


def _installers(files: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Return the names of the distributions that install each path."""
    installers: dict[str, list[str]] = {}
    for name, paths in files.items():
        for path in paths:
            installers.setdefault(path, []).append(name)
    return installers


def _reject_obstructions(installers: Mapping[str, Sequence[str]]) -> None:
    for path in installers:
        for directory in _parents(path):
            if directory in installers:
                raise InvalidDistribution(
                    f"{installers[directory][0]} installs the file {directory}, and {installers[path][0]} a directory",
                    facts=(f"{installers[path][0]} installs {path}",),
                    hint="remove one of the two, or pin versions that do not share this path",
                )


def _parents(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def paths_of(overridden: Overridden) -> frozenset[str]:
    """Return all paths of *overridden*."""
    return frozenset(path for paths in overridden.values() for path in paths)


def misplaced_files(overridden: Mapping[str, Overridden], precedence: Precedence) -> list[tuple[str, str, str]]:
    """Return each file that another distribution should own now: its path, the name of its owner, and of that one.

    *overridden* is what the record of an environment says about each of its distributions.
    """
    installers: dict[str, set[str]] = {}
    owners: dict[str, str] = {}
    for name, by_owner in overridden.items():
        for owner, paths in by_owner.items():
            for path in paths:
                installers.setdefault(path, {owner}).add(name)
                owners[path] = owner
    due = ((precedence.owner(installers[path]), path) for path in sorted(owners))
    return [(path, owners[path], name) for name, path in due if name != owners[path]]


def content_warnings(
    digests: Mapping[str, Mapping[str, str]], overridden: Mapping[str, Overridden], changed: Collection[str]
) -> list[str]:
    """Return a line for each two distributions that install files with different content, if one of them is *changed*.

    *digests* has the digest of each file of each distribution by path.
    """
    return [
        _warning(name, owner, different)
        for name in sorted(overridden)
        for owner, paths in overridden[name].items()
        if not {name, owner}.isdisjoint(changed)
        and (different := [path for path in paths if digests[name][path] != digests[owner][path]])
    ]


def _warning(name: str, owner: str, paths: Sequence[str]) -> str:
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"warning: {name} and {owner} both install {paths[0]}{more}, with different content; that of {owner} is used"
