"""Packages that may come from one index alone.

pip treats all indexes alike, so it may take such a package from another one. It is therefore chosen first, by a pip
that knows its index alone, and then its artifact is the only one that a resolution may use.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from isolate.errors import PipFailed
from isolate.lock.artifact import demanded
from isolate.lock.graph import applies_here
from isolate.pip.command import resolve_arguments
from isolate.pip.options import INDEX_OPTIONS
from isolate.pip.report import read_report
from isolate.pip.runner import REPORT
from isolate.redaction import redact, without_credentials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from isolate.environment.builder import EnvironmentBuilder
    from isolate.pip.report import ResolvedDistribution
    from isolate.resolution.context import LockContext


NO_VERSION = "unavailable"
"""A version that no package has."""


class BoundPackages(NamedTuple):
    """The artifacts of the packages that have an index of their own, by name, and the URLs of these indexes.

    `failures` say why those that nothing declares could not be chosen: they matter only if something else needs one.
    """

    chosen: Mapping[str, ResolvedDistribution] = {}
    indexes: Mapping[str, str] = {}
    failures: Mapping[str, PipFailed] = {}

    def constraints(self) -> list[str]:
        """Return a constraint for each of them that allows its artifact alone. It may hold credentials."""
        unavailable = [f"{name}==={NO_VERSION}" for name in self.failures]
        return unavailable + [
            f"{name} @ {_with_user_of(self.indexes[name], dist.url)}#sha256={dist.hashes['sha256']}"
            if "sha256" in dist.hashes
            else f"{name} @ {_with_user_of(self.indexes[name], dist.url)}"
            for name, dist in self.chosen.items()
        ]

    def named(self, resolved: Sequence[ResolvedDistribution]) -> tuple[ResolvedDistribution, ...]:
        """Return *resolved* with these packages as what they are: chosen by name, from their index."""
        return tuple(
            self.chosen[item.name]._replace(
                requested=item.requested,
                requested_extras=item.requested_extras,
                index_url=without_credentials(self.indexes[item.name]),
            )
            if item.name in self.chosen
            else item
            for item in resolved
        )


def choose_bound(
    context: LockContext, builder: EnvironmentBuilder, kept: Mapping[str, str], options: Sequence[str]
) -> BoundPackages:
    """Return the packages that have an index of their own, chosen from it: at the *kept* versions where it has these.

    *options* are those of the command line of pip. Raises `PipFailed` if an index has no version that is declared.
    """
    indexes = context.declarations.package_indexes
    chosen: dict[str, ResolvedDistribution] = {}
    failures: dict[str, PipFailed] = {}
    for name in indexes:
        try:
            chosen[name] = _choose(name, context, builder, kept.get(name), options)
        except PipFailed as failure:
            if _lines(name, context):
                raise
            failures[name] = failure
    return BoundPackages(chosen, indexes, failures)


def _choose(
    name: str, context: LockContext, builder: EnvironmentBuilder, kept: str | None, options: Sequence[str]
) -> ResolvedDistribution:
    declarations = context.declarations
    builder.progress.working(f"choosing {name} from its index")
    lines = _lines(name, context)
    limits = [entry.text for entry in declarations.constraints if entry.name == name and entry.url is None]
    index = [f"--index-url {quote(declarations.package_indexes[name])}"]
    others = [line for line in declarations.index_options if line.split(" ")[0].removeprefix("--") not in INDEX_OPTIONS]
    pip = builder.pips.ensure_pip()
    with builder.store.scratch() as scratch:
        requirements, constraints = scratch / "bound.txt", scratch / "bound-constraints.txt"
        _write(requirements, [*index, *others, *(lines or [name])])
        report = scratch / REPORT
        arguments = resolve_arguments(requirements=[requirements], constraints=[constraints], report=report)
        for pins in ([f"{name}=={kept}"], []) if kept else ([],):
            _write(constraints, [*limits, *pins])
            finished = pip.resolve((*arguments, "--no-deps", *options), requirements, cwd=declarations.root)
            if not finished.status:
                return read_report((scratch / REPORT).read_text(encoding="utf-8"))[0]
    from isolate.pip.explanation import explain

    output = redact(f"{finished.output}\n{finished.errors}")
    failure = explain(output, declared=declarations.requirements, offline=builder.pips.config.offline)
    failure.facts += (f"{name} may come from {redact(declarations.package_indexes[name])} alone",)
    raise failure


def _lines(name: str, context: LockContext) -> list[str]:
    """Return what is declared of the package *name* and in force here, as lines of a requirements file."""
    return [
        " ".join([entry.text, *(f"--hash={value}" for value in sorted(demanded(entry.hashes)))])
        for entry in context.declarations.requirements
        if entry.name == name and entry.url is None and applies_here(entry, context.interpreter.markers)
    ]


def _write(path: Path, lines: Sequence[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _with_user_of(index: str, url: str) -> str:
    """Return *url* with the credentials of *index* if it is on the same host."""
    user, at, host = urlsplit(index).netloc.rpartition("@")
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user}{at}{host}")) if at and parts.netloc == host else url
