"""What a command that only looks can tell about requirements whose metadata only a build tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from isolate.lock.graph import active_requirements, applies
from isolate.lock.local_sources import local_path, path_of_url
from isolate.lock.source_ids import declared_extras
from isolate.store.metadata_cache import TreeMetadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from isolate.declarations.declared import DeclaredRequirement
    from isolate.pip.report import ResolvedDistribution
    from isolate.resolution.context import LockContext

NO_BUILD = ("--only-binary", ":all:")
"""Options of pip: it takes wheels alone, and builds nothing."""


class WithoutBuild(NamedTuple):
    """The requirements of an application, sorted by whether they need a build.

    `ready` need none. `known` are source trees with recorded metadata, `lines` their dependencies as lines of a
    requirements file. `left_out` is what remains, as declared.
    """

    ready: tuple[DeclaredRequirement, ...] = ()
    known: tuple[ResolvedDistribution, ...] = ()
    lines: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


class _Source(NamedTuple):
    """A requirement that needs a build: its local path if it has one, how it is shown, and what is asked of it."""

    path: str | None
    shown: str
    editable: bool = True
    extras: frozenset[str] = frozenset()


def without_build(context: LockContext) -> WithoutBuild:
    """Return what can be told about the requirements of *context* without a build."""
    ready = tuple(declared for declared in context.declarations.requirements if not needs_build(declared))
    trees = TreeMetadata(context.store, context.tree_tag)
    known: list[ResolvedDistribution] = []
    lines: list[str] = []
    left_out: list[str] = []
    for source in _sources(context):
        dist = None if source.path is None else trees.get(source.path, context.source_digests.get(source.path))
        if dist is None:
            left_out.append(source.shown)
            continue
        known.append(dist._replace(editable=source.editable))
        for requirement in active_requirements(dist.requires_dist, source.extras, context.interpreter.markers):
            requirement.marker = None
            (left_out if requirement.url else lines).append(str(requirement))
    return WithoutBuild(ready, tuple(known), tuple(lines), tuple(dict.fromkeys(left_out)))


def _sources(context: LockContext) -> Iterator[_Source]:
    declarations = context.declarations
    for declared in declarations.requirements:
        marker = None if declared.requirement is None else declared.requirement.marker
        if needs_build(declared) and applies(marker, context.interpreter.markers):
            shown = f"{declared.text} ({declared.origin})"
            yield _Source(local_path(declared), shown, declared.editable, declared_extras(declared))
    if declarations.needs_metadata:
        yield _Source(str(declarations.root), "the dynamic dependencies of the project")


def needs_build(declared: DeclaredRequirement) -> bool:
    """Return whether pip would run a build backend to learn the metadata of *declared*."""
    if declared.path is not None:
        return not str(declared.path).endswith(".whl")
    if not declared.url:
        return False
    parts = urlsplit(declared.url)
    return "+" in parts.scheme or not parts.path.endswith(".whl")


def record_trees(context: LockContext, resolved: Sequence[ResolvedDistribution]) -> None:
    """Record the metadata of the source trees in *resolved*, for commands that may not build them."""
    trees = TreeMetadata(context.store, context.tree_tag)
    for dist in resolved:
        path = path_of_url(dist.url) if dist.is_directory else None
        if path is not None and (digest := context.source_digests.get(path)) is not None:
            trees.add(path, digest, dist)
