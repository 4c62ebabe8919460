"""Solutions: what was resolved at once for the base and a set of extras and groups. Pure.

Usually there is one, for everything. Where extras or groups exclude each other, there are several.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from isolate.lock.tool_table import TOOL, ToolTable, dependency_names, recorded_requires, tool_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from packaging.pylock import Package

    from isolate.lock.parts import Part


class Solution(NamedTuple):
    """What was resolved for the base and `parts`.

    `packages` are without markers, by name. `reached` has the names that each part leads to, and under None those that
    the base leads to.
    """

    parts: frozenset[Part]
    packages: Mapping[str, Package]
    reached: Mapping[Part | None, AbstractSet[str]]

    def needed_for(self, parts: Iterable[Part]) -> frozenset[str]:
        """Return the names that are installed if *parts* are asked for."""
        return frozenset().union(*(self.reached.get(part, frozenset()) for part in (None, *parts)))

    def places_of(self, package: Package) -> frozenset[Part | None]:
        """Return what leads to *package*; nothing if the solution has a different one of that name, or none."""
        own = self.packages.get(package.name)
        if own is None or not is_same(own, package):
            return frozenset()
        return frozenset(part for part, names in self.reached.items() if package.name in names)


def is_same(first: Package, second: Package) -> bool:
    """Return whether two packages of one name are the same version from the same source.

    What their tables say about dependencies depends on the extras that are requested of them.
    """
    return _bare(first) == _bare(second)


def _bare(package: Package) -> Package:
    return replace(package, marker=None, dependencies=None, tool=None)


def joined(solutions: Iterable[Solution]) -> list[Solution]:
    """Return *solutions*, each with the parts of others that fit into it, without those that add nothing.

    A part fits if what leads from it has the same versions here and there: then all that is stated is met together.
    The order is canonical, except that the base of the first solution stays the one that answers.
    """
    given = list(solutions)
    grown = [_grown(solution, given) for solution in given]
    grown.sort(key=lambda one: (not _has_base_of(one, given[0]), len(one.parts), sorted(one.parts)))
    kept: list[Solution] = []
    for number, solution in enumerate(grown):
        never_answers = any(solution.parts <= earlier.parts for earlier in kept)
        if not never_answers and not any(_adds_nothing(solution, later) for later in grown[number + 1 :]):
            kept.append(solution)
    return kept


def _has_base_of(solution: Solution, other: Solution) -> bool:
    base = other.needed_for(())
    return solution.needed_for(()) == base and _agrees(solution, other, base)


def _grown(solution: Solution, others: Sequence[Solution]) -> Solution:
    for other in others:
        for part in sorted(other.parts - solution.parts):
            names = other.reached.get(part, frozenset())
            if all(_fits(other.packages[name], solution) for name in names):
                solution = Solution(
                    parts=solution.parts | {part},
                    packages=_merged(solution.packages, {name: other.packages[name] for name in names}),
                    reached={**solution.reached, part: names},
                )
    return solution


def _fits(package: Package, solution: Solution) -> bool:
    own = solution.packages.get(package.name)
    return own is None or is_same(own, package)


def _agrees(solution: Solution, other: Solution, names: Iterable[str]) -> bool:
    """Return whether both solutions have the same packages of these *names*."""
    return all(
        name in solution.packages and name in other.packages and _fits(solution.packages[name], other) for name in names
    )


def _adds_nothing(solution: Solution, other: Solution) -> bool:
    """Return whether *other* answers the same for everything that *solution* answers for."""
    return solution.parts <= other.parts and all(
        solution.reached.get(part) == other.reached.get(part)
        and _agrees(solution, other, solution.reached.get(part, ()))
        for part in (None, *solution.parts)
    )


def _merged(first: Mapping[str, Package], second: Mapping[str, Package]) -> dict[str, Package]:
    return {
        **first,
        **{name: merged([first[name], package] if name in first else [package]) for name, package in second.items()},
    }


def entries_of(solutions: Iterable[Solution]) -> list[tuple[str, list[Package]]]:
    """Return the different packages of each name in *solutions*, sorted by name, each as `merged`."""
    variants: defaultdict[str, list[list[Package]]] = defaultdict(list)
    for solution in solutions:
        for name, package in solution.packages.items():
            same = next((same for same in variants[name] if is_same(same[0], package)), None)
            if same is None:
                variants[name].append([package])
            else:
                same.append(package)
    return [(name, [merged(same) for same in variants[name]]) for name in sorted(variants)]


def merged(packages: Sequence[Package]) -> Package:
    """Return one package for *packages*, which are the same, with the dependencies that any of them has."""
    first = packages[0]
    if all(package == first for package in packages):
        return first
    names = sorted({name for package in packages for name in dependency_names(package)})
    tables = [tool_table(package) for package in packages]
    requires = None
    if any(table.requires is not None for table in tables):
        requires = tuple(sorted({line for package in packages for line in recorded_requires(package)}))
    extras = frozenset[str]().union(*(table.extras for table in tables))
    table = ToolTable(extras=extras, requires=requires, tree=tables[0].tree).to_dict()
    return replace(
        first, dependencies=[{"name": name} for name in names] or None, tool={TOOL: table} if table else None
    )
