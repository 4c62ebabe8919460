"""Does a lock still say what the declarations ask for? A question of meaning, not of bytes. Pure.

Fresh is a lock in which every declared requirement is satisfied by a locked distribution, from which every locked
distribution is reached, and which serves the interpreter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from isolate.errors import StaleLock
from isolate.lock.decide import TOOL
from isolate.lock.graph import applies
from isolate.lock.model import Selection
from isolate.lock.selection import select

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.pylock import Package, Pylock

    from isolate.declarations.model import Declarations, Declared
    from isolate.interpreters.model import Interpreter
    from isolate.lock.model import Locked


def staleness(
    lock: Pylock, declarations: Declarations, interpreter: Interpreter, *, trees: Mapping[str, str]
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
    return (
        *_new_names(lock, declarations),
        *_unmet(packages, declarations, interpreter.markers, ours=lock.created_by == TOOL),
        *(_unreached(packages, declarations, interpreter.markers) if lock.created_by == TOOL else ()),
        *_changed_trees(packages, {one.name: one.directory for one in locked if one.directory}, trees),
        *_changed_archives(locked, trees),
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
    for declared in declarations.requirements:
        if declared.requirement is not None and applies(declared.requirement.marker, markers):
            yield from _unmet_by(packages, declared, required=True, ours=ours)
    for declared in declarations.constraints:
        if declared.requirement is not None and applies(declared.requirement.marker, markers):
            yield from _unmet_by(packages, declared, required=False, ours=ours)


def _unmet_by(packages: Mapping[str, Package], declared: Declared, *, required: bool, ours: bool) -> Iterator[str]:
    requirement, where = declared.requirement, f"{declared.text} ({declared.origin})"
    if requirement is None:
        return
    package = packages.get(canonicalize_name(requirement.name))
    if package is None:
        if required:
            yield f"{where} is not locked"
        return
    if package.version is not None and not requirement.specifier.contains(package.version, prereleases=True):
        yield f"{where} does not allow the locked {package.name} {package.version}"
    if declared.hashes and not declared.hashes & _hashes(package):
        yield f"{where} does not allow the artifact of {package.name} that is locked"
    missing = {canonicalize_name(extra) for extra in requirement.extras} - _extras(package)
    if missing and required and ours:
        yield f"{where} asks for {package.name}[{','.join(sorted(missing))}], which is not locked"
    if bool(declared.url or declared.path) is not package.is_direct and required:
        yield f"{where} names another source of {package.name} than the locked one"


def _unreached(
    packages: Mapping[str, Package], declarations: Declarations, markers: Mapping[str, str]
) -> Iterator[str]:
    """Name what nobody needs any more; where a declaration has no name, that cannot be told."""
    if any(declared.requirement is None for declared in declarations.requirements):
        return
    reached: set[str] = {package.name for package in packages.values() if package.directory is not None}
    todo = [str(edge["name"]) for name in reached for edge in packages[name].dependencies or ()]
    todo += [
        declared.name
        for declared in declarations.requirements
        if declared.name is not None
        and declared.requirement is not None
        and applies(declared.requirement.marker, markers)
    ]
    while todo:
        name = todo.pop()
        if name in packages and name not in reached:
            reached.add(name)
            todo += [str(edge["name"]) for edge in packages[name].dependencies or ()]
    for name in sorted(set(packages) - reached):
        yield f"the locked {name} is not needed any more"


def _changed_trees(
    packages: Mapping[str, Package], directories: Mapping[str, str], trees: Mapping[str, str]
) -> Iterator[str]:
    for name, path in directories.items():
        remembered = _remembered(packages[name]).get("tree")
        if remembered is not None and trees.get(path) != remembered:
            yield f"the metadata of {name} ({path}) changed"


def _changed_archives(locked: Iterable[Locked], trees: Mapping[str, str]) -> Iterator[str]:
    """Name the archives that were built again; one that is gone may still be in the store."""
    for one in locked:
        archive = one.table.get("archive", {})
        path, digest = archive.get("path"), archive.get("hashes", {}).get("sha256")
        if digest is not None and trees.get(path, digest) != digest:
            yield f"the archive of {one.name} ({path}) changed"


def _remembered(package: Package) -> Mapping[str, Any]:
    remembered: Mapping[str, Any] = (package.tool or {}).get(TOOL, {})
    return remembered


def _extras(package: Package) -> set[str]:
    return set(_remembered(package).get("extras", ()))


def _hashes(package: Package) -> set[str]:
    sources = [*(package.wheels or ()), package.sdist, package.archive]
    return {f"{name}:{value}" for source in sources if source for name, value in source.hashes.items()}
