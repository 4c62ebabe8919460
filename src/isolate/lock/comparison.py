"""The declarations of an application beside what a lock installs, for one environment. Pure."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from isolate.lock.graph import RequirementKey, applies, applies_here, closure, requirement_key
from isolate.lock.source_ids import declared_extras, declared_source, locked_source
from isolate.lock.tool_table import TOOL, recorded_requires, tool_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.pylock import Package, Pylock

    from isolate.declarations.declared import Declarations, DeclaredRequirement
    from isolate.lock.select import Chosen
    from isolate.lock.source_ids import Source
    from isolate.locked import LockedDistribution


class Comparison(NamedTuple):
    """The declarations, and what the lock installs in one environment.

    `packages` are the entries of the locked distributions; `sources` has those that do not come from an index. Both are
    by name. `names` are those of all entries of the lock. Only a lock made by isolate records revisions and extras.
    `is_exact`: each dependency that it states is one in this environment.
    """

    declarations: Declarations
    markers: Mapping[str, str]
    locked: tuple[LockedDistribution, ...]
    packages: Mapping[str, Package]
    sources: Mapping[str, Source]
    names: frozenset[str]
    made_by_isolate: bool
    is_exact: bool

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
        """Return the dependencies of each locked distribution as `Requires-Dist` lines, by name."""
        return {name: recorded_requires(package) for name, package in self.packages.items()}

    def reached(self, requires: Mapping[str, Iterable[str]] | None = None) -> dict[str, frozenset[str]] | None:
        """Return every distribution that the declarations and the application itself lead to, with the extras of each.

        Returns None if that cannot be told, because a declaration has neither a name nor a known source. *requires* are
        the dependencies of each distribution, by default `requires_dist`.
        """
        root = os.path.normpath(self.declarations.root)
        own = [dist.name for dist in self.locked if dist.directory == root]
        extras = frozenset(self.declarations.extras)
        roots = [RequirementKey(name, tool_table(self.packages[name]).extras & extras) for name in own]
        for declared in self.declarations.requirements:
            if declared.requirement is not None:
                is_in_force = applies(declared.requirement.marker, self.markers)
                roots += [requirement_key(declared.requirement)] if is_in_force else []
            elif (source := declared_source(declared)) is not None:
                roots += [RequirementKey(name, declared_extras(declared)) for name in self.names_from(source)]
            else:
                return None
        return closure(roots, self.requires_dist() if requires is None else requires, self.markers)

    def recorded_digests(self) -> dict[str, str]:
        """Return the digest that the lock has for the metadata of each source tree, by the name of the distribution."""
        recorded = {name: tool_table(package).tree for name, package in self.packages.items()}
        return {name: digest for name, digest in recorded.items() if digest is not None}


def compare(
    lock: Pylock, chosen: Sequence[Chosen], declarations: Declarations, markers: Mapping[str, str]
) -> Comparison:
    """Return *declarations* beside what *lock* installs: *chosen*, in the environment that *markers* describe."""
    locked = tuple(each.locked for each in chosen)
    return Comparison(
        declarations=declarations,
        markers=markers,
        locked=locked,
        packages={str(each.package.name): each.package for each in chosen},
        sources={dist.name: source for dist in locked if (source := locked_source(dist.table)) is not None},
        names=frozenset(package.name for package in lock.packages),
        made_by_isolate=lock.created_by == TOOL,
        is_exact=lock.created_by == TOOL and len(lock.environments or ()) == 1,
    )
