"""Resolve from cached metadata: requirements that are pinned, with all their dependencies, need no resolver. Pure."""

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
    declarations: Declarations, markers: Mapping[str, str], cached: Callable[[str, str], ResolvedDistribution | None]
) -> tuple[ResolvedDistribution, ...] | None:
    """Return what pip would resolve *declarations* to, from *cached* metadata, which it gets by name and version.

    Returns None if that cannot be told: if the declarations do not pin everything, dependencies included, or if a pin
    is not cached.
    """
    pins = pinned_versions(declarations, markers)
    if not pins:
        return None
    items = {}
    for name, version in pins.items():
        item = cached(name, version)
        if item is None:
            return None
        items[name] = item
    return resolve_among(declarations, items, markers)


def pinned_versions(declarations: Declarations, markers: Mapping[str, str]) -> dict[str, str] | None:
    """Return the version of each distribution that *declarations* pin; None if any requirement is not a pin."""
    if declarations.needs_metadata:
        return None
    if any(constraint.requirement is None or constraint.url is not None for constraint in declarations.constraints):
        return None
    pins: dict[str, str] = {}
    for declared in declarations.requirements:
        if (
            declared.requirement is None
            or declared.name is None
            or declared.url is not None
            or declared.path is not None
        ):
            return None
        if applies(declared.requirement.marker, markers) and (
            declared.pin is None or pins.setdefault(declared.name, declared.pin) != declared.pin
        ):
            return None
    return pins


def resolve_among(
    declarations: Declarations, items: Mapping[str, ResolvedDistribution], markers: Mapping[str, str]
) -> tuple[ResolvedDistribution, ...] | None:
    """Return those of *items* (by name) that *declarations* require, directly or not. All declarations have names.

    Returns None if they require a distribution that is not among the items, or if an item has a version that a
    declaration, a constraint or another item does not allow.
    """
    declared = [entry.requirement for entry in declarations.requirements if entry.requirement is not None]
    constraints = [entry.requirement for entry in declarations.constraints if entry.requirement is not None]
    roots = [requirement_key(requirement) for requirement in declared if applies(requirement.marker, markers)]
    reached = closure(roots, {name: item.requires_dist for name, item in items.items()}, markers)
    if not reached.keys() <= items.keys():
        return None
    in_force = [entry for entry in (*declared, *constraints) if applies(entry.marker, markers)]
    if not all(_is_met(requirement, items) for requirement in in_force):
        return None
    if not all(_dependencies_are_met(items[name], extras, items, markers) for name, extras in reached.items()):
        return None
    return tuple(items[name] for name in reached)


def _dependencies_are_met(
    item: ResolvedDistribution,
    extras: frozenset[str],
    items: Mapping[str, ResolvedDistribution],
    markers: Mapping[str, str],
) -> bool:
    return all(
        requirement.url is None and _is_met(requirement, items)
        for requirement in active_requirements(item.requires_dist, extras, markers)
    )


def _is_met(requirement: Requirement, items: Mapping[str, ResolvedDistribution]) -> bool:
    """Return whether *requirement* allows the version among *items*, if they have one."""
    item = items.get(canonicalize_name(requirement.name))
    return item is None or requirement.specifier.contains(item.version, prereleases=True)
