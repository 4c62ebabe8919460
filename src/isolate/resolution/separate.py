"""Resolve extras and groups apart where they cannot all be resolved at once.

The base is resolved first, with the default groups, then what is asked for. What else is declared is added in halves,
as far as the versions that are chosen already allow it. An extra or group that does not fit is resolved on its own,
and left out if it cannot be resolved at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from isolate.errors import DeclarationError, InvalidDistribution, IsolateError, PipFailed
from isolate.lock.parts import Part
from isolate.lock.solutions import Solution, joined
from isolate.pip.index_pages import IndexFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

UNSOLVABLE = (PipFailed, DeclarationError, InvalidDistribution)
"""What a resolution raises that cannot succeed, or not here; but an index that fails says nothing about that."""

Versions: TypeAlias = Mapping[str, str]
"""Versions by the name of the package."""

Solve: TypeAlias = Callable[[frozenset[Part], Versions, Versions], Solution]
"""Resolves the base and some parts. It keeps the first versions if that is possible, and the second in any case. Raises
one of `UNSOLVABLE`."""


class Separated(NamedTuple):
    """The solutions that were found, and why other parts could not be resolved."""

    solutions: list[Solution]
    failures: Mapping[Part, IsolateError]


class Wanted(NamedTuple):
    """All parts that are `declared`; the `default` groups; what is `asked` for; `earlier` combinations."""

    declared: tuple[Part, ...]
    default: frozenset[Part] = frozenset()
    asked: frozenset[Part] = frozenset()
    earlier: tuple[frozenset[Part], ...] = ()


def separate(wanted: Wanted, solve: Solve, failure: IsolateError) -> Separated:
    """Return solutions for the base, for what is asked for, for each part, and for the earlier combinations of them.

    *failure* is why everything that is declared cannot be resolved at once. Raises the error of *solve* if the base or
    what is asked for cannot be resolved, or if an index fails.
    """
    try:
        return _separated(wanted, _remembering(solve, {frozenset(wanted.declared): failure}))
    except _Stopped as stopped:
        raise stopped.failure from None


class _Stopped(Exception):
    """An index failed, so that nothing can be told about any part."""

    def __init__(self, failure: IndexFailed) -> None:
        super().__init__()
        self.failure = failure


def _separated(wanted: Wanted, solve: Solve) -> Separated:
    declared = frozenset(wanted.declared)
    separation = _Separation(solve, _core(wanted.default, wanted.asked, solve))
    separation.add_asked(wanted.asked)
    separation.add([part for part in wanted.declared if part not in separation.main.parts | wanted.asked])
    separation.add_apart([part for part in wanted.declared if part not in separation.parts])
    for parts in wanted.earlier:
        separation.add_combination(parts & declared)
    return Separated(separation.solutions, separation.failures)


def add_combination(solutions: Sequence[Solution], parts: frozenset[Part], solve: Solve) -> list[Solution]:
    """Return *solutions* and one for *parts*, which none of them includes. Raises the error of *solve*."""
    return joined([*solutions, solve(parts, versions_of(solutions[0]), {})])


def versions_of(solution: Solution) -> dict[str, str]:
    """Return the versions of those packages of *solution* that come from an index."""
    return {
        name: str(package.version)
        for name, package in solution.packages.items()
        if package.version is not None and not package.is_direct
    }


def _remembering(solve: Solve, failures: dict[frozenset[Part], IsolateError]) -> Solve:
    """Return *solve*, which asks only once for parts that cannot be resolved; *failures* has those that are known."""

    def remembering(parts: frozenset[Part], kept: Versions, required: Versions) -> Solution:
        if parts in failures:
            raise failures[parts]
        try:
            return solve(parts, kept, required)
        except IndexFailed as error:
            raise _Stopped(error) from None
        except UNSOLVABLE as error:
            if not required:
                failures[parts] = error
            raise

    return remembering


def _core(default: frozenset[Part], asked: frozenset[Part], solve: Solve) -> Solution:
    """Return the solution for the base with the *default* groups; if they fail, with those that are asked for."""
    try:
        return solve(default, {}, {})
    except UNSOLVABLE:
        if default <= asked:
            raise
        return solve(default & asked, {}, {})


class _Separation:
    """The solutions so far: `main`, which keeps the versions of the `core`, and `others`."""

    def __init__(self, solve: Solve, core: Solution) -> None:
        self._solve = solve
        self._core = core
        self.main = core
        self._others: list[Solution] = []
        self.failures: dict[Part, IsolateError] = {}

    @property
    def solutions(self) -> list[Solution]:
        return joined([self.main, *self._others])

    @property
    def parts(self) -> frozenset[Part]:
        """Return the parts that a solution has."""
        return self.main.parts.union(*(solution.parts for solution in self._others))

    def add_asked(self, parts: frozenset[Part]) -> None:
        """Add *parts*, which must be resolved together."""
        if parts <= self.main.parts or self._added_to_main(parts):
            return
        try:
            self._others.append(self._solve(self._core.parts | parts, self._kept, {}))
        except UNSOLVABLE:
            if self._core.parts <= parts:
                raise
            self._others.append(self._solve(parts, self._kept, {}))

    def add(self, parts: Sequence[Part]) -> None:
        """Add those of *parts* to the main solution that fit into it."""
        if not parts or self._added_to_main(parts) or len(parts) == 1:
            return
        half = len(parts) // 2
        self.add(parts[:half])
        self.add(parts[half:])

    def add_apart(self, parts: Iterable[Part]) -> None:
        """Add a solution for each of *parts*, with the default groups if possible, or record why there is none."""
        for part in parts:
            for together in dict.fromkeys((self._core.parts | {part}, frozenset({part}))):
                try:
                    self._others.append(self._solve(together, self._kept, {}))
                    break
                except UNSOLVABLE as error:
                    self.failures[part] = error
            else:
                continue
            self.failures.pop(part, None)

    def add_combination(self, parts: frozenset[Part]) -> None:
        """Add a solution for *parts* if there is none yet; it may have become impossible."""
        if not parts.isdisjoint(self.failures) or any(parts <= solution.parts for solution in self.solutions):
            return
        try:
            self._others.append(self._solve(parts, self._kept, {}))
        except UNSOLVABLE:
            return

    @property
    def _kept(self) -> dict[str, str]:
        return versions_of(self._core)

    def _added_to_main(self, parts: Iterable[Part]) -> bool:
        try:
            self.main = self._solve(self.main.parts | {*parts}, {}, versions_of(self.main))
        except UNSOLVABLE:
            return False
        return True
