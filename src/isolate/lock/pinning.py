"""Tell what the declarations leave unpinned, so that only a lock says its version. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_version

from isolate.lock.graph import applies_here
from isolate.lock.source_ids import declared_hashes, declared_source, is_local

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.pylock import Package, Pylock

    from isolate.declarations.declared import Declarations, DeclaredRequirement


def is_fully_pinned(lock: Pylock, declarations: Declarations) -> bool:
    """Return whether *declarations* pin everything that *lock* installs, so that the lock adds no information."""
    return not unpinned(lock, declarations)


def unpinned(lock: Pylock, declarations: Declarations) -> list[str]:
    """Return the names of the packages in *lock* that *declarations* do not pin."""
    declared_by_name: dict[str | None, list[DeclaredRequirement]] = {}
    for declared in declarations.requirements:
        declared_by_name.setdefault(declared.name, []).append(declared)
    names = (
        package.name
        for package in lock.packages
        if package.directory is None
        and not any(_pins(declared, package) for declared in declared_by_name.get(package.name, ()))
    )
    return [*dict.fromkeys(names)]


def has_unpinned(declarations: Declarations, markers: Mapping[str, str]) -> bool:
    """Return whether a declared requirement is not a pin, so that a lock is needed in any case."""
    return any(
        declared.pin is None and declared.url is None and declared.path is None and applies_here(declared, markers)
        for declared in declarations.requirements
    )


def _pins(declared: DeclaredRequirement, package: Package) -> bool:
    """Return whether *declared* will always mean the artifact that is locked as *package*.

    A local source counts as pinned, because a lock cannot say more about it.
    """
    if is_local(declared):
        return True
    if package.vcs is not None:
        source = declared_source(declared)
        return source is not None and source.revision == package.vcs.commit_id
    if declared.url is not None:
        return bool(declared_hashes(declared))
    pin, version = declared.pin, package.version
    return None not in (pin, version) and canonicalize_version(str(pin)) == canonicalize_version(str(version))
