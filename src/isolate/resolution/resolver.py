"""Let pip resolve what an application declares: everything, or only what has changed."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from isolate.lock.artifact import demanded
from isolate.lock.from_cache import resolve_among
from isolate.pip.command import IGNORE_INSTALLED, resolve_arguments
from isolate.pip.index_pages import IndexFailed
from isolate.pip.report import read_report
from isolate.pip.runner import LOG, REPORT
from isolate.pip.runner_output import with_log
from isolate.redaction import redact
from isolate.resolution.kept_versions import kept_versions
from isolate.resolution.mixed_hashes import are_mixed, ensure_all_hashed, mixed_lines
from isolate.resolution.package_indexes import choose_bound
from isolate.resolution.without_build import NO_BUILD, record_trees, without_build
from isolate.store.layout import tree_lock
from isolate.store.metadata_cache import MetadataCache

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from packaging.pylock import Pylock

    from isolate.declarations.declared import Declarations, DeclaredRequirement
    from isolate.environment.builder import EnvironmentBuilder
    from isolate.pip.report import ResolvedDistribution
    from isolate.pip.runner import Pip
    from isolate.process import Finished
    from isolate.resolution.context import LockContext


def resolver_for(context: LockContext, old: Pylock | None, builder: EnvironmentBuilder) -> Resolver:
    """Return a resolver for the declarations of *context* that keeps versions of the *old* lock."""
    markers = context.interpreter.markers
    kept = {} if old is None else kept_versions(old, context.declarations, context.policy, markers)
    cache = MetadataCache(store=context.store, keys=context.keys, index_fingerprint=context.index_fingerprint)
    return Resolver(context, builder, kept, cache)


class Resolver(NamedTuple):
    """A resolution by the pip of *builder*.

    It keeps the versions in `kept`, by name, where it can, and those in `required` in any case. A `pip` that is given
    resolves instead, and takes what is installed where it runs.
    """

    context: LockContext
    builder: EnvironmentBuilder
    kept: Mapping[str, str]
    cache: MetadataCache
    pip: Pip | None = None
    required: Mapping[str, str] = {}

    def without(self, names: Collection[str]) -> Resolver:
        """Return this resolver, which need not keep the versions of *names*."""
        return self._replace(kept={name: version for name, version in self.kept.items() if name not in names})

    def resolve(self) -> Sequence[ResolvedDistribution]:
        """Return what pip resolves the declarations to; without the kept versions if they cannot all be kept.

        Raises `PipFailed` if there is no solution.
        """
        declarations = self.context.declarations
        if not self.context.may_build:
            known = without_build(self.context)
            lines = [*map(_line, known.ready), *known.lines]
            options = [line for line in declarations.index_options if not line.startswith("--no-binary")]
            return (*known.known, *(self._resolve([*options, *lines]) if lines else ()))
        if self.pip is None and declarations.settings.no_build_isolation:
            return self._resolve_in_two_steps()
        lines, is_mixed = requirement_lines(declarations), are_mixed(declarations)
        resolved = self._resolve(mixed_lines(lines, self._ensure_pip().version) if is_mixed else lines)
        if is_mixed:
            ensure_all_hashed(resolved, declarations)
        record_trees(self.context, resolved)
        return resolved

    def _resolve_in_two_steps(self) -> Sequence[ResolvedDistribution]:
        """Return the resolution where some packages are built without isolation: these come second."""
        from isolate.resolution.without_isolation import environment_of, split

        first, later = split(self.context.declarations)
        resolved = self._resolve(requirement_lines(first))
        record_trees(self.context, resolved)
        if not later.requirements:
            return resolved
        with environment_of(resolved, self.context, self.builder) as (pip, pins):
            declarations = later._replace(constraints=(*later.constraints, *pins))
            rest = self._replace(context=self.context._replace(declarations=declarations), pip=pip).resolve()
        names = {item.name for item in resolved}
        return (*resolved, *(item for item in rest if item.name not in names))

    def _resolve(self, lines: Sequence[str]) -> Sequence[ResolvedDistribution]:
        with self.builder.store.scratch() as scratch:
            requirements = scratch / "requirements.txt"
            _write_lines(requirements, lines)
            kept = {**self.kept, **self.required}
            bound = choose_bound(self.context, self.builder, kept, self._no_build)
            for versions in (kept, self.required):
                pins = [f"{name}=={version}" for name, version in versions.items() if name not in bound.chosen]
                finished = self._run_pip(requirements, [*pins, *bound.constraints()], scratch)
                if not finished.status:
                    return bound.named(read_report((scratch / REPORT).read_text(encoding="utf-8")))
                if kept == self.required:
                    break
            output = redact(with_log(f"{finished.output}\n{finished.errors}", scratch / LOG))
        from isolate.pip.explanation import explain
        from isolate.resolution.why_unavailable import with_reasons

        for needed in bound.failures.values():
            raise needed
        output = with_reasons(output, self.context, self._ensure_pip())
        declared, offline = self.context.declarations.requirements, self.builder.pips.config.offline
        failure = explain(output, declared=declared, offline=offline)
        if not self.context.may_build:
            failure.facts += ("this command builds nothing, so packages without a wheel count as missing",)
        raise failure

    def resolve_changed(self) -> Sequence[ResolvedDistribution] | None:
        """Return the resolution in which pip chooses only the versions that are not kept, without their dependencies.

        Return None if a full resolution is needed: unless the metadata of every kept version is cached, and all
        requirements are satisfied by what is kept and what pip chose.
        """
        declarations = self.context.declarations
        if declarations.settings.no_build_isolation:  # pip would build them to learn what they need
            return None
        if declarations.needs_metadata or not all(map(_is_plain, _all_declared(declarations))):
            return None
        cached = {name: dist for name, version in self.kept.items() if (dist := self.cache.get(name, version))}
        if not self.kept or len(cached) < len(self.kept):
            return None
        chosen = self._choose_versions(self._changed_lines())
        self.cache.add(chosen)
        every = cached | {dist.name: dist for dist in chosen}
        return resolve_among(declarations, every, self.context.interpreter.markers)

    def _changed_lines(self) -> list[str]:
        """Return a line of a requirements file for each distribution whose version is not kept."""
        requirements = self.context.declarations.requirements
        declared = {requirement.name for requirement in requirements}
        upgraded = [name for name in self.context.policy.upgrade_packages if name not in declared]
        return [*(requirement.text for requirement in requirements if requirement.name not in self.kept), *upgraded]

    def _choose_versions(self, lines: Sequence[str]) -> Sequence[ResolvedDistribution]:
        """Return the version that pip chooses for each of *lines*, dependencies ignored; empty if it cannot."""
        if not lines:
            return ()
        self.builder.progress.working("resolving what has changed")
        with self.builder.store.scratch() as scratch:
            requirements = scratch / "changed.txt"
            _write_lines(requirements, [*self.context.declarations.index_options, *lines])
            try:
                finished = self._run_pip(requirements, [], scratch, "--no-deps")
            except IndexFailed:  # whether it did may show only when everything is resolved
                return ()
            return () if finished.status else read_report((scratch / REPORT).read_text(encoding="utf-8"))

    def _run_pip(self, requirements: Path, pins: Sequence[str], scratch: Path, *options: str) -> Finished:
        """Run pip so that it reports, in *scratch*, what it would install of *requirements* with *pins* kept."""
        declarations = self.context.declarations
        constraints = scratch / "constraints.txt"
        _write_lines(constraints, [*pins, *map(_line, declarations.constraints), *own_project(declarations)])
        report = scratch / REPORT
        arguments = resolve_arguments(requirements=[requirements], constraints=[constraints], report=report)
        if self.pip is not None:
            arguments = tuple(argument for argument in arguments if argument != IGNORE_INSTALLED)
        with self._locked_trees():
            pip = self._ensure_pip()
            return pip.resolve((*arguments, *options, *self._no_build), requirements, cwd=declarations.root)

    @property
    def _no_build(self) -> tuple[str, ...]:
        return () if self.context.may_build else NO_BUILD

    def _ensure_pip(self) -> Pip:
        if self.pip is not None:
            return self.pip
        # What a command that only looks runs is not for the repository to choose.
        return self.builder.resolving_pip.ensure() if self.context.may_build else self.builder.pips.ensure_pip()

    def _locked_trees(self) -> AbstractContextManager[object]:
        """Hold the locks of the source trees that pip may build to learn their metadata."""
        trees = [*self.context.source_digests]
        if not trees or not self.context.may_build:
            return contextlib.nullcontext()
        on_wait = partial(self.builder.progress.working, "waiting for another process that builds the same source tree")
        return self.builder.store.fill_access(map(tree_lock, trees), on_wait)


def _all_declared(declarations: Declarations) -> list[DeclaredRequirement]:
    return [*declarations.requirements, *declarations.constraints]


def _is_plain(declared: DeclaredRequirement) -> bool:
    """Return whether *declared* is a name with a version range, and nothing that fixes the artifact."""
    return declared.requirement is not None and not declared.url and not declared.hashes


def requirement_lines(declarations: Declarations) -> list[str]:
    """Return what an application declares as lines of one requirements file: options first, includes resolved.

    pip gets these lines and none of the application's own files, so that the two cannot understand a file differently.
    Variables (`${NAME}`) stay as they are: pip expands them from its environment, and their values are written nowhere.
    """
    return [*dict.fromkeys([*declarations.index_options, *map(_line, declarations.requirements)])]


def own_project(declarations: Declarations) -> tuple[str, ...]:
    """Return the constraint by which the name of the project means its directory, and never a package of the index."""
    project = declarations.project
    if project is None or not project.is_package or project.name is None:
        return ()
    return (f"{project.name} @ {declarations.root.as_uri()}",)


def _line(declared: DeclaredRequirement) -> str:
    return " ".join([declared.text, *(f"--hash={value}" for value in sorted(demanded(declared.hashes)))])


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
