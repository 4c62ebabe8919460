"""Turn pip's resolution into a lock. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.markers import Marker
from packaging.pylock import Package, PackageDirectory, Pylock
from packaging.version import Version

from isolate.lock.environment_marker import environment_marker
from isolate.lock.graph import RequirementKey, applies, closure, requirement_key
from isolate.lock.local_sources import path_of_url
from isolate.lock.package import Resolution, normalized, package_from
from isolate.lock.source_ids import declared_extras
from isolate.lock.tool_table import TOOL, ToolTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from isolate.declarations.declared import Declarations, DeclaredRequirement
    from isolate.interpreters.interpreter import Interpreter
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
    own = declarations.project.name if declarations.project and declarations.project.is_package else None
    reported = [item for item in reported if item.name != own or not _is_at(item, declarations)]
    items = {item.name: item for item in reported}
    requires = {item.name: item.requires_dist for item in reported}
    markers = interpreter.markers
    reached = {
        condition: closure(_roots(declared, items, markers), requires, markers)
        for condition, declared in _by_condition(declarations).items()
    }
    extras = _merged(reached.values())
    resolution = Resolution(
        names=frozenset(items),
        markers=markers,
        root=str(declarations.root),
        source_digests=source_digests,
    )
    packages = [
        package_from(item, resolution, marker=_marker(item.name, reached), extras=extras.get(item.name, frozenset()))
        for item in reported
    ]
    digest = source_digests.get(resolution.root) if declarations.metadata else None
    return _pylock(packages + _project(declarations, items, digest), declarations, interpreter)


def _pylock(packages: list[Package], declarations: Declarations, interpreter: Interpreter) -> Pylock:
    return Pylock(
        lock_version=Version("1.0"),
        environments=[Marker(environment_marker(interpreter.markers))],
        requires_python=declarations.requires_python,
        extras=[normalized(extra) for extra in declarations.extras],
        dependency_groups=list(declarations.groups),
        default_groups=[*declarations.default_groups],
        created_by=TOOL,
        packages=sorted(packages, key=lambda package: package.name),
    )


def _by_condition(declarations: Declarations) -> dict[str, list[DeclaredRequirement]]:
    """Return the declared requirements by the marker under which they are installed; the base has an empty one."""
    conditions: dict[str, list[DeclaredRequirement]] = {"": []}
    for declared in declarations.requirements:
        if declared.extra is not None:
            condition = f'"{declared.extra}" in extras'
        elif declared.group is not None:
            condition = f'"{declared.group}" in dependency_groups'
        else:
            condition = ""
        conditions.setdefault(condition, []).append(declared)
    return conditions


def _merged(reached: Iterable[ExtrasByName]) -> dict[str, frozenset[str]]:
    merged: dict[str, frozenset[str]] = {}
    for extras_by_name in reached:
        for name, extras in extras_by_name.items():
            merged[name] = merged.get(name, frozenset()) | extras
    return merged


def _marker(name: str, reached: Mapping[str, ExtrasByName]) -> Marker | None:
    """Return the marker for the package *name*; None if the base needs it, or if it is not known what needs it."""
    conditions = [condition for condition, extras_by_name in reached.items() if name in extras_by_name]
    if "" in conditions or not conditions:
        return None
    return Marker(" or ".join(conditions))


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
