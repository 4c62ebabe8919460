"""Turn one distribution that pip resolved into a package of a lock. Pure."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from packaging.pylock import Package, PackageArchive, PackageDirectory, PackageSdist, PackageVcs, PackageWheel
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from isolate.lock.artifact import sdist_name
from isolate.lock.graph import dependencies
from isolate.lock.local_sources import path_of_url
from isolate.lock.tool_table import TOOL, ToolTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.utils import NormalizedName

    from isolate.pip.report import ResolvedDistribution


class Resolution(NamedTuple):
    """What all packages of one lock have in common.

    `names` are the distributions that pip resolved, `markers` the environment that it resolved for, `root` is the
    directory of the lock. `source_digests` has a digest of the metadata of each source tree by absolute path.
    """

    names: frozenset[str]
    markers: Mapping[str, str]
    root: str
    source_digests: Mapping[str, str]


def package_from(item: ResolvedDistribution, resolution: Resolution, *, extras: frozenset[str]) -> Package:
    """Return the package for *item*, of which *extras* are requested, without a marker."""
    required = [
        key for key in dependencies(item.requires_dist, extras, resolution.markers) if key.name in resolution.names
    ]
    names = sorted({key.name for key in required} - {item.name})
    has_extras = bool(extras) or any(key.extras for key in required)
    table = ToolTable(
        extras=extras,
        requires=_requires(item.requires_dist, extras, resolution) if has_extras else None,
        tree=resolution.source_digests.get(path_of_url(item.url) or "") if item.is_directory else None,
    ).to_dict()
    return Package(
        name=normalized(item.name),
        version=None if item.is_directory or item.vcs else Version(item.version),
        requires_python=_requires_python(item),
        index=item.index_url,
        dependencies=[{"name": name} for name in names] or None,
        tool={TOOL: table} if table else None,
        **_source(item, resolution.root),
    )


def normalized(name: str) -> NormalizedName:
    """Return *name* as the type that packaging demands. Names in reports and declarations are normalized already."""
    return name  # type: ignore[return-value]


def _requires(requires_dist: Iterable[str], extras: frozenset[str], resolution: Resolution) -> tuple[str, ...]:
    """Return the dependencies as `Requires-Dist` lines, with the extras of either side, which `dependencies` lacks."""
    base = dependencies(requires_dist, frozenset(), resolution.markers)
    lines = {key.line for key in base if key.name in resolution.names}
    for extra in extras:
        with_extra = dependencies(requires_dist, frozenset({extra}), resolution.markers)
        lines |= {
            f'{key.line}; extra == "{extra}"' for key in with_extra if key not in base and key.name in resolution.names
        }
    return tuple(sorted(lines))


def _requires_python(item: ResolvedDistribution) -> SpecifierSet | None:
    """Return the Python versions that *item* supports; None if it says nothing valid, which pip ignores, too."""
    try:
        return SpecifierSet(item.requires_python) if item.requires_python else None
    except InvalidSpecifier:
        return None


def _source(item: ResolvedDistribution, root: str) -> dict[str, Any]:
    """Return the one field of a package that says where *item* comes from."""
    path = path_of_url(item.url)
    if item.is_directory:
        tree = _relative(path or item.url, root)
        return {"directory": PackageDirectory(path=tree, editable=item.editable, subdirectory=item.subdirectory)}
    if item.vcs is not None:
        vcs_type, commit, revision = item.vcs
        vcs = PackageVcs(
            type=vcs_type, url=item.url, requested_revision=revision, commit_id=commit, subdirectory=item.subdirectory
        )
        return {"vcs": vcs}
    hashes = dict(item.hashes)
    if item.is_direct:
        relative = _relative(path, root) if path else None
        url = None if relative else item.url
        return {"archive": PackageArchive(path=relative, url=url, hashes=hashes, subdirectory=item.subdirectory)}
    filename = unquote(urlsplit(item.url).path).rsplit("/", 1)[-1]
    relative = _relative(path, root) if path else None
    place: dict[str, Any] = {"url": item.url} if relative is None or os.path.isabs(relative) else {"path": relative}
    if filename.endswith(".whl"):
        return {"wheels": [PackageWheel(name=filename, hashes=hashes, **place)]}
    return {"sdist": PackageSdist(name=sdist_name(filename, item.name, item.version), hashes=hashes, **place)}


def _relative(path: str, root: str) -> str:
    """Return *path* relative to *root*, unless it is so far away that the absolute path is clearer."""
    relative = os.path.relpath(path, root)
    return path if relative.startswith(os.pardir + os.sep + os.pardir) else relative
