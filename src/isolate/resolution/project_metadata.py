"""What only the build backend of a project can tell: its dependencies and extras, as declarations.

pip asks the backend. The answer is recorded in the store and in the lock, so that commands that may not build have it.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from isolate.declarations.declared import Declarations, DeclaredRequirement, Origin, ProjectMetadata
from isolate.errors import IsolateError
from isolate.lock.graph import active_requirements, applies_here
from isolate.lock.local_sources import is_same_metadata, path_of_url
from isolate.lock.tool_table import tool_table
from isolate.resolution.candidates import candidate_locks
from isolate.resolution.context import LockContext, context_of
from isolate.store.layout import tree_lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.pylock import Pylock
    from packaging.requirements import Requirement

    from isolate.application import Application
    from isolate.environment.builder import EnvironmentBuilder
    from isolate.interpreters.interpreter import Interpreter
    from isolate.pip.report import ResolvedDistribution
    from isolate.request import LockPolicy
    from isolate.session import Session
    from isolate.store.metadata_cache import TreeMetadata


def lock_context(
    application: Application, declarations: Declarations, interpreter: Interpreter, policy: LockPolicy, session: Session
) -> LockContext:
    """Return the context of a lock decision, with the metadata of the project as far as it is recorded.

    Reads the metadata of the source trees that *declarations* name.
    """
    context = context_of(application, declarations, interpreter, policy, session)
    if not declarations.needs_build or (metadata := _recorded(context)) is None:
        return context
    return _completed(context, metadata)


def with_built_metadata(context: LockContext, builder: EnvironmentBuilder) -> LockContext:
    """Return *context* with the metadata of the project, which pip asks its build backend for unless it is known.

    A command that may not build, or that takes the lock unchecked, gets *context* as it is. Raises `PipFailed` if the
    build fails.
    """
    if not context.declarations.needs_build or not (context.may_build and context.policy.validate):
        return context
    root = context.root
    builder.progress.working("asking the build backend what the project depends on")
    on_wait = partial(builder.progress.working, "waiting for another process that builds the project")
    with builder.store.fill_access([tree_lock(root)], on_wait):
        dist = _ask_backend(context, builder)
    _tree_metadata(context).add(_key(root), context.source_digests[root], dist)
    return _completed(context, _metadata(dist))


def _completed(context: LockContext, metadata: ProjectMetadata) -> LockContext:
    declarations = with_metadata(context.declarations, metadata, context.interpreter.markers)
    return context.with_declarations(declarations)


def _tree_metadata(context: LockContext) -> TreeMetadata:
    from isolate.store.metadata_cache import TreeMetadata

    return TreeMetadata(context.store, context.interpreter.compat_tag)


def _key(root: str) -> str:
    """Return what stands for the project in *root* among the source trees whose metadata is recorded."""
    return f"project {root}"


def _metadata(dist: ResolvedDistribution) -> ProjectMetadata:
    return ProjectMetadata(dist.name, tuple(dist.requires_dist), tuple(dist.provides_extra))


def _ask_backend(context: LockContext, builder: EnvironmentBuilder) -> ResolvedDistribution:
    from isolate.pip.command import resolve_arguments
    from isolate.pip.explanation import explain
    from isolate.pip.report import read_report
    from isolate.pip.runner import LOG, REPORT
    from isolate.pip.runner_output import with_log
    from isolate.redaction import redact

    declarations = context.declarations
    # A source tree has no hash, and no declaration demands one for it.
    options = [option for option in declarations.index_options if option != "--require-hashes"]
    pip = replace(builder.pips.ensure_pip(), more_follows=True)
    with builder.store.scratch() as scratch:
        requirements = scratch / "project.txt"
        lines = [*options, f"-e {declarations.root.as_uri()}"]  # a URL needs no quotes, whatever characters it has
        requirements.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        arguments = resolve_arguments(requirements=[requirements], constraints=[], report=scratch / REPORT)
        finished = pip.resolve((*arguments, "--no-deps"), requirements, cwd=declarations.root)
        if not finished.status:
            return read_report((scratch / REPORT).read_text(encoding="utf-8"))[0]
        output = with_log(f"{finished.output}\n{finished.errors}", scratch / LOG)
    output = redact(output)
    raise explain(output, declared=(), offline=builder.pips.config.offline)


def _recorded(context: LockContext) -> ProjectMetadata | None:
    """Return the metadata of the project as it is now, by the store or by a lock; None if neither has it."""
    root = context.root
    digest = context.source_digests.get(root)
    dist = _tree_metadata(context).get(_key(root), digest)
    if dist is not None:
        return _metadata(dist)
    with contextlib.suppress(IsolateError):
        for candidate in candidate_locks(context):
            if (metadata := _metadata_of_lock(candidate.lock, root, digest)) is not None:
                return metadata
    return None


def _metadata_of_lock(lock: Pylock, root: str, digest: str | None) -> ProjectMetadata | None:
    for package in lock.packages:
        table, directory = tool_table(package), package.directory
        if directory is None or os.path.normpath(os.path.join(root, directory.path)) != os.path.normpath(root):
            continue
        if table.requires is not None and table.tree is not None and is_same_metadata(table.tree, digest):
            return ProjectMetadata(str(package.name), table.requires, tuple(sorted(table.extras)))
    return None


def with_metadata(declarations: Declarations, metadata: ProjectMetadata, markers: Mapping[str, str]) -> Declarations:
    """Return *declarations* with what *metadata* says about the project, for the environment of *markers*.

    A reference of the project to extras of its own stands for their requirements.
    """
    project = declarations.project
    if project is None:
        return declarations
    reader = _MetadataReader(metadata, markers, Origin(project.file))
    extras = metadata.extras if "optional-dependencies" in project.dynamic else declarations.extras
    declared = [*reader.base()] if "dependencies" in project.dynamic else []
    for entry in declarations.requirements:
        if entry.name == metadata.name and entry.url is None:
            declared += reader.expanded(entry) if applies_here(entry, markers) else ()
        else:
            declared.append(entry)
    if "optional-dependencies" in project.dynamic:
        declared += [entry for extra in extras for entry in reader.of_extra(extra)]
    return declarations._replace(
        requirements=tuple(declared),
        extras=extras,
        project=project._replace(name=metadata.name),
        metadata=metadata,
    )


class _MetadataReader:
    def __init__(self, metadata: ProjectMetadata, markers: Mapping[str, str], origin: Origin) -> None:
        self._metadata, self._markers, self._origin = metadata, markers, origin
        self._base = [*active_requirements(metadata.requires_dist, frozenset(), markers)]

    def base(self) -> Iterator[DeclaredRequirement]:
        """Yield what every environment gets."""
        for requirement in self._base:
            if canonicalize_name(requirement.name) == self._metadata.name:
                yield from map(self._declared, self._added_by(requirement.extras))
            else:
                yield self._declared(requirement)

    def of_extra(self, extra: str) -> Iterator[DeclaredRequirement]:
        """Yield what *extra* adds."""
        for requirement in self._added_by([extra]):
            yield self._declared(requirement)._replace(extra=extra)

    def expanded(self, entry: DeclaredRequirement) -> Iterator[DeclaredRequirement]:
        """Yield what the extras add that *entry* requests of the project itself."""
        for requirement in self._added_by(entry.requirement.extras if entry.requirement else ()):
            yield self._declared(requirement)._replace(origin=entry.origin, extra=entry.extra, group=entry.group)

    def _added_by(self, extras: Iterable[str]) -> Iterator[Requirement]:
        """Yield what *extras* add to the base, without the markers, which are true here."""
        todo, seen, base = [*map(canonicalize_name, extras)], set[str](), {*map(str, self._base)}
        while todo:
            extra = todo.pop()
            if extra in seen:
                continue
            seen.add(extra)
            for requirement in active_requirements(self._metadata.requires_dist, frozenset({extra}), self._markers):
                if canonicalize_name(requirement.name) == self._metadata.name:
                    todo += map(canonicalize_name, requirement.extras)
                elif str(requirement) not in base:
                    requirement.marker = None
                    yield requirement

    def _declared(self, requirement: Requirement) -> DeclaredRequirement:
        path = path_of_url(requirement.url or "")
        return DeclaredRequirement(
            text=str(requirement),
            origin=self._origin,
            requirement=requirement,
            url=requirement.url,
            path=None if path is None else Path(path),
        )
