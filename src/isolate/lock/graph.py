"""The dependencies between distributions, for one environment. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from packaging.markers import Marker, UndefinedEnvironmentName
from packaging.utils import canonicalize_name

from isolate.declarations.limits import parsed_requirement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.requirements import Requirement

    from isolate.declarations.declared import DeclaredRequirement


class RequirementKey(NamedTuple):
    """A distribution by its normalized name, with the extras that are requested of it."""

    name: str
    extras: frozenset[str]

    @property
    def line(self) -> str:
        """Return the key as a requirement: `name[extra]`."""
        return f"{self.name}[{','.join(sorted(self.extras))}]" if self.extras else self.name


def applies(marker: Marker | None, markers: Mapping[str, str], extra: str = "") -> bool:
    """Return whether a requirement with *marker* applies to the environment that *markers* describe (PEP 508)."""
    if marker is None:
        return True
    try:
        return marker.evaluate({**markers, "extra": extra})
    except UndefinedEnvironmentName:
        return False


def applies_here(declared: DeclaredRequirement, markers: Mapping[str, str]) -> bool:
    """Return whether *declared* has a name and applies to the environment that *markers* describe."""
    return declared.requirement is not None and applies(declared.requirement.marker, markers)


def requirement_key(requirement: Requirement) -> RequirementKey:
    """Return the key of *requirement*: all that it says except for the version, the URL and the marker."""
    return RequirementKey(
        canonicalize_name(requirement.name), frozenset(canonicalize_name(extra) for extra in requirement.extras)
    )


def active_requirements(
    requires_dist: Iterable[str], extras: frozenset[str], markers: Mapping[str, str]
) -> Iterator[Requirement]:
    """Yield the requirements of a distribution that apply if *extras* of it are requested.

    *requires_dist* are its `Requires-Dist` lines. Lines that are not valid are skipped, because pip ignores them, too.
    """
    for line in requires_dist:
        try:
            requirement = parsed_requirement(line)
        except ValueError:
            continue
        if any(applies(requirement.marker, markers, extra) for extra in ("", *extras)):
            yield requirement


def dependencies(
    requires_dist: Iterable[str], extras: frozenset[str], markers: Mapping[str, str]
) -> tuple[RequirementKey, ...]:
    """Return the dependencies of a distribution with these `Requires-Dist` lines if *extras* of it are requested."""
    return tuple(dict.fromkeys(map(requirement_key, active_requirements(requires_dist, extras, markers))))


def closure(
    roots: Iterable[RequirementKey], requires: Mapping[str, Iterable[str]], markers: Mapping[str, str]
) -> dict[str, frozenset[str]]:
    """Return every distribution that *roots* depend on, and the roots, with all extras that are requested of each.

    *requires* has the `Requires-Dist` lines of each distribution by normalized name. A name that it lacks is in the
    result, but has no dependencies.
    """
    reached: dict[str, frozenset[str]] = {}
    todo = list(roots)
    while todo:
        name, extras = todo.pop()
        if name in reached and extras <= reached[name]:
            continue
        reached[name] = reached.get(name, frozenset()) | extras
        todo += dependencies(requires.get(name, ()), reached[name], markers)
    return reached
