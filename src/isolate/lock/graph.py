"""Who needs whom: the edges between distributions, for one interpreter. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from packaging.markers import Marker, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from isolate.declarations.declared import DeclaredRequirement


class RequirementKey(NamedTuple):
    """A distribution by its normalized name, with the extras that are asked of it."""

    name: str
    extras: frozenset[str]

    @property
    def line(self) -> str:
        """Return the same as a requirement."""
        return f"{self.name}[{','.join(sorted(self.extras))}]" if self.extras else self.name


def applies(marker: Marker | None, markers: Mapping[str, str], extra: str = "") -> bool:
    """Say whether a requirement with *marker* counts in the environment that *markers* describe (PEP 508)."""
    if marker is None:
        return True
    try:
        return marker.evaluate({**markers, "extra": extra})
    except UndefinedEnvironmentName:
        return False


def applies_here(declared: DeclaredRequirement, markers: Mapping[str, str]) -> bool:
    """Say whether *declared* is a requirement with a name that counts in the environment that *markers* describe."""
    return declared.requirement is not None and applies(declared.requirement.marker, markers)


def requirement_key(requirement: Requirement) -> RequirementKey:
    """Return what *requirement* asks for, its version aside."""
    return RequirementKey(
        canonicalize_name(requirement.name), frozenset(canonicalize_name(extra) for extra in requirement.extras)
    )


def active_requirements(
    requires_dist: Iterable[str], extras: frozenset[str], markers: Mapping[str, str]
) -> Iterator[Requirement]:
    """Yield those of the `Requires-Dist` lines of a distribution that count with *extras* of it asked for.

    A line that is no requirement by today's rules is passed over: pip did not act on it either.
    """
    for line in requires_dist:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if any(applies(requirement.marker, markers, extra) for extra in ("", *extras)):
            yield requirement


def needs(
    requires_dist: Iterable[str], extras: frozenset[str], markers: Mapping[str, str]
) -> tuple[RequirementKey, ...]:
    """Return what a distribution with these `Requires-Dist` lines needs, with *extras* of it asked for."""
    return tuple(dict.fromkeys(map(requirement_key, active_requirements(requires_dist, extras, markers))))


def closure(
    roots: Iterable[RequirementKey], requires: Mapping[str, Iterable[str]], markers: Mapping[str, str]
) -> dict[str, frozenset[str]]:
    """Return every distribution that is reached from *roots*, with all extras that are asked of it on the way.

    *requires* has the `Requires-Dist` lines of each distribution by normalized name; a name that it lacks leads nowhere
    but is in the answer.
    """
    reached: dict[str, frozenset[str]] = {}
    todo = list(roots)
    while todo:
        name, extras = todo.pop()
        if name in reached and extras <= reached[name]:
            continue
        reached[name] = reached.get(name, frozenset()) | extras
        todo += needs(requires.get(name, ()), reached[name], markers)
    return reached
