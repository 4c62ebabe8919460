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
from isolate.lock.graph import dependencies
from isolate.lock.local_sources import METADATA_OF, changed_sources
from isolate.lock.locked_selections import selections_of, still_left_out
from isolate.lock.parts import declared_parts, part_of, parts_of, selection_of, with_parts
from isolate.lock.select import choose
from isolate.lock.source_ids import declared_extras, declared_hashes, declared_source
from isolate.lock.tool_table import TOOL, tool_table
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
    return tuple(dict.fromkeys(_reasons(lock, declarations, interpreter, source_digests)))


def _reasons(
    lock: Pylock, declarations: Declarations, interpreter: Interpreter, source_digests: Mapping[str, str]
) -> Iterator[str]:
    """Yield why *lock* is stale, for each selection that it answers for."""
    declared = frozenset(declared_parts(declarations))
    if lock.created_by == TOOL:
        yield from _new_parts(lock, declarations)
    for selection in selections_of(lock):
        parts = parts_of(selection) & declared
        try:
            chosen = choose(lock, interpreter, selection_of(parts), root=str(declarations.root))
        except StaleLock as error:
            yield error.facts[0]
            return
        comparison = compare(lock, chosen, with_parts(declarations, parts), interpreter.markers)
        yield from _reasons_of(comparison, source_digests)


def _reasons_of(comparison: Comparison, source_digests: Mapping[str, str]) -> Iterator[str]:
    yield from _unlocked_project(comparison)
    yield from _unmet(comparison)
    yield from _different_sources(comparison)
    yield from _different_indexes(comparison)
    yield from _unmet_without_name(comparison)
    yield from _incomplete_or_too_much(comparison)
    yield from changed_sources(comparison.locked, comparison.recorded_digests(), source_digests)


def _new_parts(lock: Pylock, declarations: Declarations) -> Iterator[str]:
    """Yield a line for each extra and group with requirements that *lock* has not, and did not leave out either."""
    known = still_left_out(lock, declarations).union(*map(parts_of, selections_of(lock)))
    for part in declared_parts(declarations):
        if part not in known and any(part_of(declared) == part for declared in declarations.requirements):
            yield f"the {part} is not locked"


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


def _incomplete_or_too_much(comparison: Comparison) -> Iterator[str]:
    """Yield a line for each dependency that is missing, and for each locked distribution that nothing leads to.

    Only a lock by isolate for one environment says of each dependency whether it is one here. Nothing is yielded if it
    cannot be told what is needed.
    """
    reached, packages = comparison.reached(), comparison.packages
    if reached is None:
        return
    missing = reached.keys() - (packages.keys() if comparison.is_exact else comparison.names)
    requires = comparison.requires_dist() if missing else {}
    for name, extras in sorted(reached.items()) if missing else ():
        for key in dependencies(requires.get(name, ()), extras, comparison.markers):
            if key.name in missing:
                yield f"{name} requires {key.name}, which is not locked"
    if comparison.made_by_isolate:
        for name in sorted(packages.keys() - reached.keys()):
            yield f"{name} is locked but no longer required"
