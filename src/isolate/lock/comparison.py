"""The declarations of an application beside what a lock installs, for one environment. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from isolate.lock.graph import applies_here
from isolate.lock.source_ids import locked_source
from isolate.lock.tool_table import TOOL, tool_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.pylock import Package, Pylock

    from isolate.declarations.declared import Declarations, DeclaredRequirement
    from isolate.lock.source_ids import Source
    from isolate.locked import LockedDistribution


class Comparison(NamedTuple):
    """The declarations, and what the lock installs in one environment.

    `packages` are the tables of the locked distributions; `sources` has those that do not come from an index. Both are
    by name. Only a lock made by isolate records revisions and extras.
    """

    declarations: Declarations
    markers: Mapping[str, str]
    locked: tuple[LockedDistribution, ...]
    packages: Mapping[str, Package]
    sources: Mapping[str, Source]
    made_by_isolate: bool

    def in_force(self, declared: Iterable[DeclaredRequirement]) -> list[DeclaredRequirement]:
        """Return those of *declared* that have a name and apply to the environment."""
        return [entry for entry in declared if applies_here(entry, self.markers)]

    def names_from(self, source: Source) -> list[str]:
        """Return the names of the locked distributions that come from the declared *source*."""
        return [name for name, locked in self.sources.items() if self.is_from(source, locked)]

    def is_from(self, source: Source, locked: Source) -> bool:
        """Return whether *locked* is the declared *source*."""
        return source.is_met_by(locked, made_by_isolate=self.made_by_isolate)

    def requires_dist(self) -> dict[str, Iterable[str]]:
        """Return the dependencies of each locked distribution as `Requires-Dist` lines, by name.

        If the lock does not record for which extra it has a dependency, the distribution always has it.
        """
        requires: dict[str, Iterable[str]] = {}
        for name, package in self.packages.items():
            recorded = tool_table(package).requires
            edges = [str(edge["name"]) for edge in package.dependencies or ()]
            requires[name] = edges if recorded is None else recorded
        return requires

    def recorded_digests(self) -> dict[str, str]:
        """Return the digest that the lock has for the metadata of each source tree, by the name of the distribution."""
        recorded = {name: tool_table(package).tree for name, package in self.packages.items()}
        return {name: digest for name, digest in recorded.items() if digest is not None}


def compare(
    lock: Pylock, locked: tuple[LockedDistribution, ...], declarations: Declarations, markers: Mapping[str, str]
) -> Comparison:
    """Return *declarations* beside what *lock* installs: *locked*, in the environment that *markers* describe."""
    names = {dist.name for dist in locked}
    return Comparison(
        declarations=declarations,
        markers=markers,
        locked=locked,
        packages={str(package.name): package for package in lock.packages if package.name in names},
        sources={dist.name: source for dist in locked if (source := locked_source(dist.table)) is not None},
        made_by_isolate=lock.created_by == TOOL,
    )
