"""What locked distributions state about their dependencies, beside what is locked. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_name

from isolate.lock.graph import active_requirements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.pylock import Package
    from packaging.requirements import Requirement

    from isolate.lock.comparison import Comparison


class Unmet(NamedTuple):
    """A dependency that is not met: what the distribution `name` requires, and what is locked of that; or nothing."""

    name: str
    version: str
    required: str
    locked: Package | None

    def __str__(self) -> str:
        """Return one line that says so."""
        found = (
            "which is not locked" if self.locked is None else f"and {self.locked.name} {self.locked.version} is locked"
        )
        return f"{self.name} {self.version}".strip() + f" requires {self.required}, {found}"


def unmet_requirements(comparison: Comparison, stated: Mapping[str, Sequence[str]]) -> Iterator[Unmet]:
    """Yield each dependency that is missing from the lock, or locked at a version that is excluded.

    *stated* has the `Requires-Dist` lines of distributions by name, as far as they are known.
    """
    requires = {**comparison.requires_dist(), **stated}
    for name, extras in sorted((comparison.reached(requires) or {}).items()):
        for requirement in active_requirements(stated.get(name, ()), extras, comparison.markers):
            locked = comparison.packages.get(canonicalize_name(requirement.name))
            if not _allows(requirement, locked):
                version = str(comparison.packages[name].version or "")
                yield Unmet(name, version, f"{requirement.name}{requirement.specifier}", locked)


def _allows(requirement: Requirement, locked: Package | None) -> bool:
    """Return whether *requirement* is met by what is *locked*, or that cannot be told."""
    if locked is None or locked.version is None:
        return locked is not None
    return requirement.specifier.contains(locked.version, prereleases=True)
