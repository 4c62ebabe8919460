"""What declarations leave open, so that a lock has something to add to them. Pure."""

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
    """Say whether the declarations already pin everything that *lock* installs, so that it adds nothing to them."""
    return not unpinned(lock, declarations)


def unpinned(lock: Pylock, declarations: Declarations) -> list[str]:
    """Return the names of what *lock* installs and the declarations do not pin."""
    declared: dict[str | None, list[DeclaredRequirement]] = {}
    for one in declarations.requirements:
        declared.setdefault(one.name, []).append(one)
    return [
        package.name
        for package in lock.packages
        if package.directory is None and not any(_pins(one, package) for one in declared.get(package.name, ()))
    ]


def has_unpinned(declarations: Declarations, markers: Mapping[str, str]) -> bool:
    """Say whether a declaration itself leaves its version open, so that a lock is needed whatever pip would find."""
    return any(
        one.pin is None and one.url is None and one.path is None and applies_here(one, markers)
        for one in declarations.requirements
    )


def _pins(declared: DeclaredRequirement, package: Package) -> bool:
    """Say whether *declared* leaves nothing open about *package*, today or later.

    Of what lies on this machine no lock could say more either.
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
