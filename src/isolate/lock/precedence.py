"""Which of several distributions owns a file that all of them install. Pure: the lock alone decides.

What an environment held before does not count. So two environments with the same packages have the same files, in
whatever order the packages got there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from isolate.declarations.limits import parsed_requirement
from isolate.lock.tool_table import tool_table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from packaging.pylock import Package, Pylock

ALWAYS_FIRST = "pip"
"""No other distribution may change what pip runs: the environment's pip owns its files."""


class Precedence:
    """The order in which distributions own files, by their dependencies on each other.

    `owner` is asked for each of thousands of files, mostly about the same few distributions, so it remembers.
    """

    def __init__(self, requires: Mapping[str, Collection[str]]) -> None:
        """Create the order of the distributions of a lock; *requires* has the direct dependencies of each by name."""
        self._requires = requires
        self._reached: dict[str, frozenset[str]] = {}
        self._owners: dict[frozenset[str], str] = {}

    def owner(self, names: Iterable[str]) -> str:
        """Return which of the distributions *names* owns a file that all of them install.

        It is pip, else one that none of the others depends on, directly or not; of several, the last by name. What
        depend on each other count as independent. A distribution that the lock lacks owns only what no other has.
        """
        key = frozenset(names)
        if key not in self._owners:
            self._owners[key] = self._decide(key)
        return self._owners[key]

    def knows(self, name: str) -> bool:
        """Return whether the distribution *name* is in the lock, or is the environment's pip."""
        return name in self._requires or name == ALWAYS_FIRST

    def _decide(self, names: frozenset[str]) -> str:
        if ALWAYS_FIRST in names:
            return ALWAYS_FIRST
        candidates = names & self._requires.keys() or names
        return max(name for name in candidates if not any(self._builds_on(other, name) for other in candidates))

    def _builds_on(self, name: str, other: str) -> bool:
        """Return whether *name* depends on *other*, and not the other way round as well."""
        return other in self._closure(name) and name not in self._closure(other)

    def _closure(self, name: str) -> frozenset[str]:
        """Return what *name* depends on, directly or not."""
        if name not in self._reached:
            reached: set[str] = set()
            todo = [name]
            while todo:
                new = set(self._requires.get(todo.pop(), ())) - reached
                reached |= new
                todo += new
            self._reached[name] = frozenset(reached)
        return self._reached[name]


def precedence_of(lock: Pylock) -> Precedence:
    """Return the order of the distributions of *lock*, by all dependencies that it states, whatever their markers."""
    requires: dict[str, set[str]] = {}
    for package in lock.packages:
        requires.setdefault(str(package.name), set()).update(_dependencies(package))
    return Precedence(requires)


def _dependencies(package: Package) -> Iterator[str]:
    for edge in package.dependencies or ():
        yield canonicalize_name(str(edge.get("name")))
    for line in tool_table(package).requires or ():
        try:
            yield canonicalize_name(parsed_requirement(line).name)
        except ValueError:  # another tool wrote it
            continue
