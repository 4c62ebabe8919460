"""The versions of an old lock that a new one keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.lock.locked_selections import selections_of
from isolate.lock.parts import declared_parts, parts_of
from isolate.lock.select import is_installed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.pylock import Package, Pylock

    from isolate.declarations.declared import Declarations, DeclaredRequirement
    from isolate.request import LockPolicy


def kept_versions(
    lock: Pylock, declarations: Declarations, policy: LockPolicy, markers: Mapping[str, str]
) -> dict[str, str]:
    """Return the versions of *lock* to keep, by name: those that no declaration contradicts and no option upgrades.

    Of several versions of a package, the one counts that is locked for *markers* and all that *declarations* have, or
    for as much of that as the lock has together.
    """
    if policy.upgrade:
        return {}
    declared = [*declarations.requirements, *declarations.constraints]
    return {
        package.name: str(package.version)
        for package in _locked_for(lock, declarations, markers)
        if package.version is not None
        and package.name not in policy.upgrade_packages
        and not package.is_direct
        and all(_allows(requirement, package) for requirement in declared)
    }


def _locked_for(lock: Pylock, declarations: Declarations, markers: Mapping[str, str]) -> list[Package]:
    """Return one entry of *lock* for each name, unless it has several and none of them is for *declarations* here."""
    parts = frozenset(declared_parts(declarations))
    selection = max(selections_of(lock), key=lambda each: len(parts & parts_of(each)))
    entries: dict[str, list[Package]] = {}
    for package in lock.packages:
        entries.setdefault(package.name, []).append(package)
    return [
        package
        for packages in entries.values()
        for package in packages
        if len(packages) == 1 or is_installed(package, markers, selection)
    ]


def _allows(declared: DeclaredRequirement, package: Package) -> bool:
    """Return whether *declared* is about a different package, or allows this version of it."""
    if declared.requirement is None or declared.name != package.name or package.version is None:
        return True
    return declared.requirement.specifier.contains(package.version, prereleases=True)
