"""Does a lock still say what the declarations ask for? A question of meaning, not of bytes. Pure.

Fresh is a lock in which every declared requirement is satisfied by a locked distribution, from which every locked
distribution is reached, and which serves the interpreter.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from isolate.errors import StaleLock
from isolate.lock.environment_marker import TOOL
from isolate.lock.graph import RequirementKey, applies, closure, requirement_key
from isolate.lock.select import select
from isolate.lock.source_ids import declared_extras, declared_hashes, declared_source, locked_source
from isolate.locked import Selection
from isolate.pip.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.pylock import Package, Pylock

    from isolate.declarations.declared import Declarations, DeclaredRequirement
    from isolate.interpreters.interpreter import Interpreter
    from isolate.lock.source_ids import Source
    from isolate.locked import LockedDistribution


def staleness(
    lock: Pylock, declarations: Declarations, interpreter: Interpreter, source_tree_digests: Mapping[str, str]
) -> tuple[str, ...]:
    """Return why *lock* is stale, one line for each reason; nothing if it is fresh.

    *trees* has a digest of the metadata of each source tree and the sha256 of each archive, by absolute path.
    """
    selection = Selection(extras=declarations.extras, groups=declarations.groups)
    try:
        locked = select(lock, interpreter, selection, root=str(declarations.root))
    except StaleLock as error:
        return (error.facts[0],)
    names = {one.name for one in locked}
    packages = {str(package.name): package for package in lock.packages if package.name in names}
    sources = {one.name: source for one in locked if (source := locked_source(one.table)) is not None}
    directories = {one.name: one.directory for one in locked if one.directory}
    own = [name for name, path in directories.items() if path == os.path.normpath(declarations.root)]
    ours = lock.created_by == TOOL
    return (
        *_new_names(lock, declarations),
        *_unmet(packages, declarations, interpreter.markers, ours=ours),
        *_elsewhere(packages, sources, declarations, interpreter.markers, ours=ours),
        *(_unreached(packages, sources, own, declarations, interpreter.markers) if ours else ()),
        *_changed_trees(packages, directories, source_tree_digests),
        *_changed_archives(locked, source_tree_digests),
    )


def _new_names(lock: Pylock, declarations: Declarations) -> Iterator[str]:
    for extra in declarations.extras:
        if extra not in (lock.extras or ()) and declarations.selected((extra,), ()) != declarations.selected((), ()):
            yield f"the extra {extra} is not locked"
    for group in declarations.groups:
        if group not in (lock.dependency_groups or ()) and _of_group(declarations, group):
            yield f"the group {group} is not locked"


def _of_group(declarations: Declarations, group: str) -> bool:
    return any(declared.group == group for declared in declarations.requirements)


def _unmet(
    packages: Mapping[str, Package], declarations: Declarations, markers: Mapping[str, str], *, ours: bool
) -> Iterator[str]:
    """Name what no locked distribution meets; only a lock of *ours* tells which extras it holds."""
    required = _in_force(declarations.requirements, markers)
    constraints = _in_force(declarations.constraints, markers)
    direct = {declared.name for declared in (*required, *constraints) if declared.url or declared.path}
    for declared in required:
        yield from _unmet_by(packages, declared, required=True, ours=ours)
        package = packages.get(str(declared.name))
        if package is not None and (declared.name in direct) is not package.is_direct:
            yield _another_source(declared)
    for declared in constraints:
        yield from _unmet_by(packages, declared, required=False, ours=ours)


def _in_force(every: Iterable[DeclaredRequirement], markers: Mapping[str, str]) -> list[DeclaredRequirement]:
    """Return those that name a distribution and count here."""
    return [one for one in every if one.requirement is not None and applies(one.requirement.marker, markers)]


def _unmet_by(
    packages: Mapping[str, Package], declared: DeclaredRequirement, *, required: bool, ours: bool
) -> Iterator[str]:
    requirement, where = declared.requirement, redact(f"{declared.text} ({declared.origin})")
    if requirement is None:
        return
    package = packages.get(canonicalize_name(requirement.name))
    if package is None:
        if required:
            yield f"{where} is not locked"
        return
    if package.version is not None and not requirement.specifier.contains(package.version, prereleases=True):
        yield f"{where} does not allow the locked {package.name} {package.version}"
    if _contradict(declared_hashes(declared), _hashes(package)):
        yield f"{where} does not allow the artifact of {package.name} that is locked"
    missing = {canonicalize_name(extra) for extra in requirement.extras} - _extras(package)
    if missing and required and ours:
        yield f"{where} asks for {package.name}[{','.join(sorted(missing))}], which is not locked"


def _contradict(declared: Iterable[str], locked: Iterable[str]) -> bool:
    """Say whether no hash of *locked* is a *declared* one, though there are some of the same algorithms to compare."""
    algorithms = {one.partition(":")[0] for one in declared}
    compared = {one for one in locked if one.partition(":")[0] in algorithms}
    return bool(compared) and compared.isdisjoint(declared)


def _elsewhere(
    packages: Mapping[str, Package],
    sources: Mapping[str, Source],
    declarations: Declarations,
    markers: Mapping[str, str],
    *,
    ours: bool,
) -> Iterator[str]:
    """Name what is declared to come from an address or a path that is not the locked one."""
    every = (*declarations.requirements, *declarations.constraints)
    for declared in _in_force(every, markers):
        source, locked = declared_source(declared), sources.get(str(declared.name))
        if source is not None and locked is not None and declared in declarations.constraints:
            source = source._replace(editable=locked.editable)  # a constraint leaves that open
        if source is not None and locked is not None and not source.is_met_by(locked, ours=ours):
            yield _another_source(declared)
    for declared in every:
        source = declared_source(declared) if declared.requirement is None else None
        met = [] if source is None else [name for name, one in sources.items() if source.is_met_by(one, ours=ours)]
        asked = declared_extras(declared) if ours else frozenset()
        if source is not None and not any(asked <= _extras(packages[name]) for name in met):
            yield f"{declared.text} ({declared.origin}) is not locked"


def _another_source(declared: DeclaredRequirement) -> str:
    return f"{declared.text} ({declared.origin}) names another source of {declared.name} than the locked one"


def _unreached(
    packages: Mapping[str, Package],
    sources: Mapping[str, Source],
    own: Iterable[str],
    declarations: Declarations,
    markers: Mapping[str, str],
) -> Iterator[str]:
    """Name what neither a declaration nor the application itself (*own*) leads to any more.

    That cannot be told where a declaration says neither a name nor where it has its distribution from.
    """
    roots = [RequirementKey(name, frozenset(_extras(packages[name]))) for name in own]
    for declared in declarations.requirements:
        if declared.requirement is not None:
            roots += [requirement_key(declared.requirement)] if applies(declared.requirement.marker, markers) else []
        elif (source := declared_source(declared)) is not None:
            met = [name for name, locked in sources.items() if source.is_met_by(locked, ours=True)]
            roots += [RequirementKey(name, declared_extras(declared)) for name in met]
        else:
            return
    reached = closure(roots, {name: _needs(package) for name, package in packages.items()}, markers)
    for name in sorted(set(packages) - reached.keys()):
        yield f"the locked {name} is not needed any more"


def _needs(package: Package) -> list[str]:
    """Return what *package* needs as `Requires-Dist` lines; a lock that does not say for which extra has all."""
    lines: list[str] | None = _remembered(package).get("requires")
    return [str(edge["name"]) for edge in package.dependencies or ()] if lines is None else lines


def _changed_trees(
    packages: Mapping[str, Package], directories: Mapping[str, str], source_tree_digests: Mapping[str, str]
) -> Iterator[str]:
    for name, path in directories.items():
        remembered = _remembered(packages[name]).get("tree")
        if remembered is not None and source_tree_digests.get(path) != remembered:
            yield f"the metadata of {name} ({path}) changed"


def _changed_archives(locked: Iterable[LockedDistribution], source_tree_digests: Mapping[str, str]) -> Iterator[str]:
    """Name the archives that were built again; one that is gone may still be in the store."""
    for one in locked:
        archive = one.table.get("archive", {})
        path, digest = archive.get("path"), archive.get("hashes", {}).get("sha256")
        if digest is not None and source_tree_digests.get(path, digest) != digest:
            yield f"the archive of {one.name} ({path}) changed"


def _remembered(package: Package) -> Mapping[str, Any]:
    remembered: Mapping[str, Any] = (package.tool or {}).get(TOOL, {})
    return remembered


def _extras(package: Package) -> set[str]:
    return set(_remembered(package).get("extras", ()))


def _hashes(package: Package) -> set[str]:
    sources = [*(package.wheels or ()), package.sdist, package.archive]
    return {f"{name}:{value}" for source in sources if source for name, value in source.hashes.items()}
