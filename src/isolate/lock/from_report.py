"""Turn pip's resolution into a lock. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.markers import Marker
from packaging.pylock import Package, PackageDirectory, Pylock
from packaging.version import Version

from isolate.lock.entry_markers import entry_marker
from isolate.lock.environment_marker import environment_marker
from isolate.lock.graph import RequirementKey, applies, closure, requirement_key
from isolate.lock.local_sources import path_of_url
from isolate.lock.locked_selections import table_of
from isolate.lock.package import Resolution, normalized, package_from
from isolate.lock.parts import EXTRA, GROUP, Part, declared_parts, part_of
from isolate.lock.solutions import Solution, entries_of
from isolate.lock.source_ids import declared_extras
from isolate.lock.tool_table import TOOL, ToolTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from isolate.declarations.declared import Declarations, DeclaredRequirement
    from isolate.interpreters.interpreter import Interpreter
    from isolate.lock.locked_selections import LeftOut
    from isolate.pip.report import ResolvedDistribution

    ExtrasByName = Mapping[str, frozenset[str]]


def lock_from(
    reported: Sequence[ResolvedDistribution],
    declarations: Declarations,
    interpreter: Interpreter,
    source_digests: Mapping[str, str],
) -> Pylock:
    """Return the lock for what pip *reported* as the resolution of *declarations* on *interpreter*.

    *source_digests* has a digest of the metadata of each source tree, by absolute path. The lock covers all extras
    and groups; a package that only some of them need has a marker that says so.
    """
    return lock_of([solution_from(reported, declarations, interpreter, source_digests)], declarations, interpreter)


def solution_from(
    reported: Sequence[ResolvedDistribution],
    declarations: Declarations,
    interpreter: Interpreter,
    source_digests: Mapping[str, str],
) -> Solution:
    """Return what pip *reported* for all of *declarations* as a solution; the arguments are those of `lock_from`."""
    own = declarations.project.name if declarations.project and declarations.project.is_package else None
    reported = [item for item in reported if item.name != own or not _is_at(item, declarations)]
    items = {item.name: item for item in reported}
    requires = {item.name: item.requires_dist for item in reported}
    markers = interpreter.markers
    reached = {
        part: closure(_roots(declared, items, markers), requires, markers)
        for part, declared in _by_part(declarations).items()
    }
    extras = _merged(reached.values())
    resolution = Resolution(
        names=frozenset(items),
        markers=markers,
        root=str(declarations.root),
        source_digests=source_digests,
    )
    packages = {
        item.name: package_from(item, resolution, extras=extras.get(item.name, frozenset())) for item in reported
    }
    digest = source_digests.get(resolution.root) if declarations.metadata else None
    packages |= {str(package.name): package for package in _project(declarations, items, digest)}
    unexplained = packages.keys() - set().union(*reached.values())  # where it is not known what needs it: the base
    names: dict[Part | None, frozenset[str]] = {
        part: frozenset(found) & packages.keys() for part, found in reached.items()
    }
    names[None] |= unexplained
    return Solution(frozenset(declared_parts(declarations)), packages, names)


def lock_of(
    solutions: Sequence[Solution],
    declarations: Declarations,
    interpreter: Interpreter,
    omitted: Iterable[LeftOut] = (),
) -> Pylock:
    """Return the lock that holds *solutions* of *declarations*, the first of which answers for the base.

    *omitted* is what none of them includes.
    """
    parts, order = [solution.parts for solution in solutions], declared_parts(declarations)
    packages = [
        replace(package, marker=entry_marker([one.places_of(package) for one in solutions], parts, order))
        for _, variants in entries_of(solutions)
        for package in variants
    ]
    has = frozenset[Part]().union(*parts)
    groups = [name for name in declarations.groups if Part(GROUP, name) in has]
    return Pylock(
        lock_version=Version("1.0"),
        environments=[Marker(environment_marker(interpreter.markers))],
        requires_python=declarations.requires_python,
        extras=[normalized(name) for name in declarations.extras if Part(EXTRA, name) in has],
        dependency_groups=groups,
        default_groups=[name for name in declarations.default_groups if name in groups],
        created_by=TOOL,
        packages=sorted(packages, key=_entry_key),
        tool=table_of(parts, omitted, declarations),
    )


def _entry_key(package: Package) -> tuple[str, bool, Version, str]:
    """Return what entries are sorted by, so that equal locks have equal bytes."""
    version = package.version or Version("0")
    return package.name, package.version is None, version, str(package.marker or "")


def _by_part(declarations: Declarations) -> dict[Part | None, list[DeclaredRequirement]]:
    """Return the declared requirements by the part that they belong to; those of the base are under None."""
    parts: dict[Part | None, list[DeclaredRequirement]] = {None: []}
    for declared in declarations.requirements:
        parts.setdefault(part_of(declared), []).append(declared)
    return parts


def _merged(reached: Iterable[ExtrasByName]) -> dict[str, frozenset[str]]:
    merged: dict[str, frozenset[str]] = {}
    for extras_by_name in reached:
        for name, extras in extras_by_name.items():
            merged[name] = merged.get(name, frozenset()) | extras
    return merged


def _roots(
    requirements: Iterable[DeclaredRequirement],
    items: Mapping[str, ResolvedDistribution],
    markers: Mapping[str, str],
) -> list[RequirementKey]:
    roots: list[RequirementKey] = []
    for declared in requirements:
        if declared.requirement is None:
            names = [item.name for item in items.values() if _is_declared_by(declared, item)]
            roots += [RequirementKey(name, declared_extras(declared)) for name in names]
        elif applies(declared.requirement.marker, markers):
            roots.append(requirement_key(declared.requirement))
    return roots


def _is_declared_by(declared: DeclaredRequirement, item: ResolvedDistribution) -> bool:
    """Return whether *item* is the distribution of *declared*, which has no name: a path or a URL."""
    if not item.is_direct:
        return False
    if declared.path is not None:
        return path_of_url(item.url) == str(declared.path)
    return item.requested and declared.url is not None and item.url in declared.url


def _is_at(item: ResolvedDistribution, declarations: Declarations) -> bool:
    """Return whether *item* is the application itself, which no declaration names, and something depends on."""
    return item.is_directory and not item.requested and path_of_url(item.url) == str(declarations.root)


def _project(
    declarations: Declarations, items: Mapping[str, ResolvedDistribution], digest: str | None
) -> list[Package]:
    """Return the application as a package, if it is one.

    What only a build could tell about it is recorded with the *digest* of the files that it comes from.
    """
    project = declarations.project
    if project is None or not project.is_package or project.name is None or project.name in items:
        return []
    base = [declared.requirement for declared in declarations.selected((), ()) if declared.requirement is not None]
    names = sorted({requirement_key(requirement).name for requirement in base} & set(items))
    table = {}
    if (metadata := declarations.metadata) is not None:
        table = ToolTable(frozenset(metadata.extras), requires=metadata.requires_dist, tree=digest).to_dict()
    return [
        Package(
            name=normalized(project.name),
            dependencies=[{"name": name} for name in names] or None,
            directory=PackageDirectory(path=".", editable=True),
            tool={TOOL: table} if table else None,
        )
    ]
