"""Tell whether a lock still meets the declarations. A question of meaning, not of bytes. Pure.

A lock is fresh if it supports the interpreter, if each declared requirement is met by a locked distribution, and if
each locked distribution is required.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from isolate.errors import StaleLock
from isolate.lock.artifact import artifact_hashes, demanded
from isolate.lock.comparison import Comparison, compare
from isolate.lock.graph import RequirementKey, applies, closure, requirement_key
from isolate.lock.local_sources import METADATA_OF, changed_sources
from isolate.lock.select import select
from isolate.lock.source_ids import declared_extras, declared_hashes, declared_source
from isolate.lock.tool_table import tool_table
from isolate.locked import Selection
from isolate.redaction import redact, without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.pylock import Package, Pylock

    from isolate.declarations.declared import Declarations, DeclaredRequirement
    from isolate.interpreters.interpreter import Interpreter


def staleness(
    lock: Pylock, declarations: Declarations, interpreter: Interpreter, source_digests: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the reasons why *lock* is stale, one line each; empty if it is fresh.

    *source_digests* has a digest of the metadata of each source tree and the sha256 of each archive, by absolute path.
    """
    selection = Selection(extras=declarations.extras, groups=declarations.groups)
    try:
        locked = select(lock, interpreter, selection, root=str(declarations.root))
    except StaleLock as error:
        return (error.facts[0],)
    comparison = compare(lock, locked, declarations, interpreter.markers)
    return (
        *_new_names(lock, declarations),
        *_unlocked_project(comparison),
        *_unmet(comparison),
        *_different_sources(comparison),
        *_different_indexes(comparison),
        *_unmet_without_name(comparison),
        *(_no_longer_required(comparison) if comparison.made_by_isolate else ()),
        *changed_sources(locked, comparison.recorded_digests(), source_digests),
    )


def _new_names(lock: Pylock, declarations: Declarations) -> Iterator[str]:
    for extra in declarations.extras:
        if extra not in (lock.extras or ()) and declarations.selected((extra,), ()) != declarations.selected((), ()):
            yield f"the extra {extra} is not locked"
    for group in declarations.groups:
        if group not in (lock.dependency_groups or ()) and any(
            declared.group == group for declared in declarations.requirements
        ):
            yield f"the group {group} is not locked"


def _unlocked_project(comparison: Comparison) -> Iterator[str]:
    """Yield a line if the application is a package and not locked, or if only a build can tell what it depends on."""
    declarations, project = comparison.declarations, comparison.declarations.project
    if declarations.poetry is not None:
        yield f"{METADATA_OF} {declarations.root.name} ({declarations.root}) is not known"
    if project is None or not project.is_package or not comparison.made_by_isolate:
        return
    root = os.path.normpath(declarations.root)
    own = [dist.name for dist in comparison.locked if dist.directory == root]
    if declarations.needs_build and not any(name in comparison.recorded_digests() for name in own):
        yield f"{METADATA_OF} {project.name or declarations.root.name} ({root}) is not known"
    elif project.name is not None and not own:
        yield f"the project {project.name} is not locked"


def _unmet(comparison: Comparison) -> Iterator[str]:
    """Yield a line for each requirement and constraint with a name that the locked distribution does not meet."""
    requirements = comparison.in_force(comparison.declarations.requirements)
    constraints = comparison.in_force(comparison.declarations.constraints)
    hashes = {dist.name: artifact_hashes(dist) for dist in comparison.locked}
    direct = {declared.name for declared in (*requirements, *constraints) if declared.url or declared.path}
    for declared in requirements:
        package = comparison.packages.get(str(declared.name))
        if package is None:
            yield f"{_described(declared)} is not locked"
            continue
        yield from _mismatches(declared, package, hashes[package.name])
        missing = _requested_extras(declared) - tool_table(package).extras
        if missing and comparison.made_by_isolate:
            yield f"{_described(declared)} requests {package.name}[{','.join(sorted(missing))}], which is not locked"
        if (declared.name in direct) is not package.is_direct:
            yield _source_differs(declared)
    for declared in constraints:
        if (package := comparison.packages.get(str(declared.name))) is not None:
            yield from _mismatches(declared, package, hashes[package.name])


def _mismatches(declared: DeclaredRequirement, package: Package, hashes: frozenset[str]) -> Iterator[str]:
    requirement, version = declared.requirement, package.version
    if (
        requirement is not None
        and version is not None
        and not requirement.specifier.contains(version, prereleases=True)
    ):
        yield f"{_described(declared)} does not allow the locked {package.name} {version}"
    if not _allows_one(declared, hashes):
        yield f"{_described(declared)} does not allow the locked artifact of {package.name}"


def _allows_one(declared: DeclaredRequirement, hashes: frozenset[str]) -> bool:
    """Return whether *declared* demands none of the *hashes* of the locked artifact, or one of them.

    A lock that does not state the declared hash does not tell which artifact that is.
    """
    wanted = demanded(declared_hashes(declared))
    return not wanted or not hashes or not wanted.isdisjoint(hashes)


def _requested_extras(declared: DeclaredRequirement) -> set[str]:
    return {canonicalize_name(extra) for extra in (declared.requirement.extras if declared.requirement else ())}


def _different_sources(comparison: Comparison) -> Iterator[str]:
    """Yield a line for each requirement with a name whose URL or path is not the locked one."""
    constraints = comparison.declarations.constraints
    for declared in comparison.in_force((*comparison.declarations.requirements, *constraints)):
        source, locked = declared_source(declared), comparison.sources.get(str(declared.name))
        if source is None or locked is None:
            continue
        if declared in constraints:
            source = source._replace(editable=locked.editable)  # a constraint does not say which it is
        if not comparison.is_from(source, locked):
            yield _source_differs(declared)


def _different_indexes(comparison: Comparison) -> Iterator[str]:
    """Yield a line for each package that is locked from another index than the one that it may come from."""
    for name, url in comparison.declarations.package_indexes.items():
        package = comparison.packages.get(name)
        if package is not None and (package.index or "").rstrip("/") != without_credentials(url).rstrip("/"):
            yield f"{name} is locked from another index than {redact(url)}"


def _unmet_without_name(comparison: Comparison) -> Iterator[str]:
    """Yield a line for each requirement without a name, a path or a URL, from which no distribution is locked."""
    hashes = {dist.name: artifact_hashes(dist) for dist in comparison.locked}
    for declared in (*comparison.declarations.requirements, *comparison.declarations.constraints):
        source = declared_source(declared) if declared.requirement is None else None
        if source is None:
            continue
        extras = declared_extras(declared) if comparison.made_by_isolate else frozenset()
        names = [name for name in comparison.names_from(source) if _allows_one(declared, hashes[name])]
        if not any(extras <= tool_table(comparison.packages[name]).extras for name in names):
            yield f"{_described(declared)} is not locked"


def _described(declared: DeclaredRequirement) -> str:
    return redact(f"{declared.text} ({declared.origin})")


def _source_differs(declared: DeclaredRequirement) -> str:
    return f"{_described(declared)}: source differs from the locked source of {declared.name}"


def _no_longer_required(comparison: Comparison) -> Iterator[str]:
    """Yield a line for each locked distribution that neither a declaration nor the application itself leads to.

    Nothing is yielded if that cannot be told, because a declaration has neither a name nor a known source.
    """
    root = os.path.normpath(comparison.declarations.root)
    own = [dist.name for dist in comparison.locked if dist.directory == root]
    roots = [RequirementKey(name, tool_table(comparison.packages[name]).extras) for name in own]
    for declared in comparison.declarations.requirements:
        if declared.requirement is not None:
            is_in_force = applies(declared.requirement.marker, comparison.markers)
            roots += [requirement_key(declared.requirement)] if is_in_force else []
        elif (source := declared_source(declared)) is not None:
            roots += [RequirementKey(name, declared_extras(declared)) for name in comparison.names_from(source)]
        else:
            return
    reached = closure(roots, comparison.requires_dist(), comparison.markers)
    for name in sorted(set(comparison.packages) - reached.keys()):
        yield f"{name} is locked but no longer required"
