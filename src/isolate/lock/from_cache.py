"""Pins that are closed need no resolver: what pip once said about each of them decides. Pure.

Closed are requirements that pin everything, also what the pinned distributions need in turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from isolate.lock.graph import active_requirements, applies, closure, requirement_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from packaging.requirements import Requirement

    from isolate.declarations.declared import Declarations
    from isolate.pip.report import ResolvedDistribution


def resolve_cached(
    declarations: Declarations, markers: Mapping[str, str], known: Callable[[str, str], ResolvedDistribution | None]
) -> tuple[ResolvedDistribution, ...] | None:
    """Return what pip would report for *declarations*, from what is *known* of each pin by name and version.

    None if they are not closed, ask for anything but pins, or pin something that is not known.
    """
    pins = pinned_versions(declarations, markers)
    items = {name: known(name, version) for name, version in (pins or {}).items()}
    found = {name: item for name, item in items.items() if item is not None}
    return resolve_among(declarations, found, markers) if pins and len(found) == len(pins) else None


def pinned_versions(declarations: Declarations, markers: Mapping[str, str]) -> dict[str, str] | None:
    """Return the version of each distribution that *declarations* ask for; None if they leave any of them open."""
    pins: dict[str, str] = {}
    if declarations.has_dynamic_dependencies:
        return None
    for one in declarations.requirements:
        if one.requirement is None or one.name is None or one.url is not None or one.path is not None:
            return None
        if applies(one.requirement.marker, markers) and (
            one.pin is None or pins.setdefault(one.name, one.pin) != one.pin
        ):
            return None
    if any(one.requirement is None or one.url is not None for one in declarations.constraints):
        return None
    return pins


def resolve_among(
    declarations: Declarations, items: Mapping[str, ResolvedDistribution], markers: Mapping[str, str]
) -> tuple[ResolvedDistribution, ...] | None:
    """Return those of *items* (by name) that *declarations*, all of which have names, lead to.

    None if they lead to others as well, or if versions are not what declarations, constraints and *items* need.
    """
    asked = [one.requirement for one in declarations.requirements if one.requirement is not None]
    roots = [requirement_key(requirement) for requirement in asked if applies(requirement.marker, markers)]
    reached = closure(roots, {name: item.requires_dist for name, item in items.items()}, markers)
    limits = [*asked, *(one.requirement for one in declarations.constraints if one.requirement is not None)]
    if (
        reached.keys() <= items.keys()
        and all(_meets(items, one) for one in limits if applies(one.marker, markers))
        and all(_needs_met(items, items[name], extras, markers) for name, extras in reached.items())
    ):
        return tuple(items[name] for name in reached)
    return None


def _needs_met(
    items: Mapping[str, ResolvedDistribution],
    item: ResolvedDistribution,
    extras: frozenset[str],
    markers: Mapping[str, str],
) -> bool:
    return all(
        requirement.url is None and _meets(items, requirement)
        for requirement in active_requirements(item.requires_dist, extras, markers)
    )


def _meets(items: Mapping[str, ResolvedDistribution], requirement: Requirement) -> bool:
    item = items.get(canonicalize_name(requirement.name))
    return item is None or requirement.specifier.contains(item.version, prereleases=True)
