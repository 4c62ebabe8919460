"""From what pip resolved to a lock. Pure."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from packaging.markers import Marker
from packaging.pylock import Package, PackageArchive, PackageDirectory, PackageSdist, PackageVcs, PackageWheel, Pylock
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from isolate.lock.environment_marker import TOOL, environment_marker
from isolate.lock.graph import RequirementKey, applies, closure, needs, requirement_key
from isolate.lock.source_ids import declared_extras
from isolate.locked import DEFAULT_GROUP

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from isolate.declarations.declared import Declarations, DeclaredRequirement
    from isolate.interpreters.interpreter import Interpreter
    from isolate.pip.report import ResolvedDistribution


def lock_from(
    reported: Sequence[ResolvedDistribution],
    declarations: Declarations,
    interpreter: Interpreter,
    source_tree_digests: Mapping[str, str],
) -> Pylock:
    """Return the lock that says what pip *reported* for *declarations* on *interpreter*.

    *trees* has a digest of the metadata of each source tree, by its absolute path. The lock covers every extra and
    every group; what only they need carries a marker that says so.
    """
    items = {item.name: item for item in reported}
    requires = {item.name: item.requires_dist for item in reported}
    markers = interpreter.markers
    reach = {
        condition: closure(_roots(declared, items, markers), requires, markers)
        for condition, declared in _by_condition(declarations).items()
    }
    extras: dict[str, frozenset[str]] = {}
    for reached in reach.values():
        for name, some in reached.items():
            extras[name] = extras.get(name, frozenset()) | some
    packages = [
        _package(
            item,
            marker=_marker(item.name, reach),
            extras=extras.get(item.name, frozenset()),
            names=frozenset(items),
            markers=markers,
            root=str(declarations.root),
            source_tree_digests=source_tree_digests,
        )
        for item in sorted(reported, key=lambda item: item.name)
    ]
    return _pylock(packages + _project(declarations, items), declarations, interpreter)


def _pylock(packages: list[Package], declarations: Declarations, interpreter: Interpreter) -> Pylock:
    return Pylock(
        lock_version=Version("1.0"),
        environments=[Marker(environment_marker(interpreter.markers))],
        requires_python=declarations.requires_python,
        extras=[_normalized(extra) for extra in declarations.extras],
        dependency_groups=list(declarations.groups),
        default_groups=[DEFAULT_GROUP] if DEFAULT_GROUP in declarations.groups else [],
        created_by=TOOL,
        packages=sorted(packages, key=lambda package: package.name),
    )


def _by_condition(declarations: Declarations) -> dict[str, list[DeclaredRequirement]]:
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


def _roots(
    declared: Iterable[DeclaredRequirement], items: Mapping[str, ResolvedDistribution], markers: Mapping[str, str]
) -> list[RequirementKey]:
    roots = []
    for one in declared:
        if one.requirement is not None:
            if applies(one.requirement.marker, markers):
                roots.append(requirement_key(one.requirement))
        else:
            roots += [RequirementKey(item.name, declared_extras(one)) for item in items.values() if _is(item, one)]
    return roots


def _is(item: ResolvedDistribution, declared: DeclaredRequirement) -> bool:
    """Say whether *item* is what a declaration without a name (a path, an address) brought in."""
    if not item.is_direct:
        return False
    if declared.path is not None:
        return _path_of(item.url) == str(declared.path)
    return item.requested and declared.url is not None and item.url in declared.url


def _marker(name: str, reach: Mapping[str, Mapping[str, frozenset[str]]]) -> Marker | None:
    conditions = [condition for condition, reached in reach.items() if name in reached]
    if "" in conditions or not conditions:
        return None
    return Marker(" or ".join(conditions))


def _package(  # noqa: PLR0913 - the facts of one table, named at the only call
    item: ResolvedDistribution,
    *,
    marker: Marker | None,
    extras: frozenset[str],
    names: frozenset[str],
    markers: Mapping[str, str],
    root: str,
    source_tree_digests: Mapping[str, str],
) -> Package:
    needed = [edge for edge in needs(item.requires_dist, extras, markers) if edge.name in names]
    edges = sorted({edge.name for edge in needed} - {item.name})
    remembered: dict[str, Any] = {"extras": sorted(extras)} if extras else {}
    if extras or any(edge.extras for edge in needed):
        remembered["requires"] = _requires(item.requires_dist, extras, names, markers)
    path = _path_of(item.url)
    if item.is_directory and path is not None and path in source_tree_digests:
        remembered["tree"] = source_tree_digests[path]
    return Package(
        name=_normalized(item.name),
        version=None if item.is_directory or item.vcs else Version(item.version),
        marker=marker,
        requires_python=_range(item.requires_python),
        dependencies=[{"name": edge} for edge in edges] or None,
        tool={TOOL: remembered} if remembered else None,
        **_source(item, root),
    )


def _requires(
    requires_dist: Iterable[str], extras: frozenset[str], names: frozenset[str], markers: Mapping[str, str]
) -> list[str]:
    """Return the edges to *names* as `Requires-Dist` lines, with the extras at both their ends."""
    base = needs(requires_dist, frozenset(), markers)
    lines = {edge.line for edge in base if edge.name in names}
    for extra in extras:
        more = [edge for edge in needs(requires_dist, frozenset({extra}), markers) if edge not in base]
        lines |= {f'{edge.line}; extra == "{extra}"' for edge in more if edge.name in names}
    return sorted(lines)


def _range(requires_python: str | None) -> SpecifierSet | None:
    """Return which Pythons a distribution says it is for; None for what is no range by today's rules, as pip has it."""
    try:
        return SpecifierSet(requires_python) if requires_python else None
    except InvalidSpecifier:
        return None


def _source(item: ResolvedDistribution, root: str) -> dict[str, Any]:
    path = _path_of(item.url)
    if item.is_directory:
        tree = _relative(path or item.url, root)
        return {"directory": PackageDirectory(path=tree, editable=item.editable, subdirectory=item.subdirectory)}
    if item.vcs is not None:
        kind, commit, revision = item.vcs
        vcs = PackageVcs(
            type=kind, url=item.url, requested_revision=revision, commit_id=commit, subdirectory=item.subdirectory
        )
        return {"vcs": vcs}
    hashes = dict(item.hashes)
    if item.is_direct:
        where = _relative(path, root) if path else None
        url = None if where else item.url
        return {"archive": PackageArchive(path=where, url=url, hashes=hashes, subdirectory=item.subdirectory)}
    filename = _filename(item.url)
    if filename.endswith(".whl"):
        return {"wheels": [PackageWheel(name=filename, url=item.url, hashes=hashes)]}
    return {"sdist": PackageSdist(name=filename, url=item.url, hashes=hashes)}


def _project(declarations: Declarations, items: Mapping[str, ResolvedDistribution]) -> list[Package]:
    """Return the application itself, where it is a package whose dependencies can be read without building it."""
    project = declarations.project
    if project is None or not project.is_package or project.name is None or project.name in items:
        return []
    base = [one.requirement for one in declarations.selected((), ()) if one.requirement is not None]
    edges: Sequence[str] = sorted({requirement_key(requirement).name for requirement in base} & set(items))
    return [
        Package(
            name=_normalized(project.name),
            dependencies=[{"name": edge} for edge in edges] or None,
            directory=PackageDirectory(path=".", editable=True),
        )
    ]


def _normalized(name: str) -> NormalizedName:
    return name  # type: ignore[return-value]  # every name in a report or a declaration is normalized already


def _path_of(url: str) -> str | None:
    parts = urlsplit(url)
    return unquote(parts.path) if parts.scheme == "file" else None


def _filename(url: str) -> str:
    return unquote(urlsplit(url).path).rsplit("/", 1)[-1]


def _relative(path: str, root: str) -> str:
    relative = os.path.relpath(path, root)
    return path if relative.startswith(os.pardir + os.sep + os.pardir) else relative
