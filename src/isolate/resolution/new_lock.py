"""Make a new lock: from cached metadata, from pins that have to be fetched anyway, or by a resolution of pip's."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from isolate.declarations.read import reject_conflicting_requirements
from isolate.lock.from_cache import resolve_cached
from isolate.lock.from_report import lock_of
from isolate.lock.locked_selections import left_out, still_left_out
from isolate.lock.parts import declared_parts, parts_of, with_parts
from isolate.pip.index_pages import IndexFailed
from isolate.resolution.apart import extended, notes_on, resolved_apart
from isolate.resolution.completeness import excluded_versions
from isolate.resolution.resolver import resolver_for
from isolate.resolution.separate import UNSOLVABLE
from isolate.resolution.verified import verified
from isolate.trace import timed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.pylock import Pylock

    from isolate.environment.builder import EnvironmentBuilder
    from isolate.errors import IsolateError
    from isolate.lock.parts import Part
    from isolate.lock.solutions import Solution
    from isolate.pip.report import ResolvedDistribution
    from isolate.resolution.context import LockContext
    from isolate.resolution.resolver import Resolver
    from isolate.store.metadata_cache import MetadataCache

log = logging.getLogger(__name__)

PinFetcher: TypeAlias = "Callable[[LockContext, MetadataCache, EnvironmentBuilder], bool]"
"""Fetches pinned distributions, adds their metadata to the cache, and returns whether it added any."""


class NewLock(NamedTuple):
    """A new lock; `notes` has a line for everything that is declared and could not be locked with all the rest."""

    lock: Pylock
    notes: tuple[str, ...] = ()


def new_lock(
    context: LockContext, old: Pylock | None, builder: EnvironmentBuilder, fetch_pins: PinFetcher | None
) -> NewLock:
    """Return a lock for the declarations that keeps the versions of the *old* one where it may.

    Usually pip resolves everything at once. Raises `PipFailed` if it cannot even resolve what is asked for.
    """
    declarations = context.declarations
    for error in declarations.refused:
        raise error
    asked = parts_of(context.asked)
    if old is not None and (lock := extended(old, context, builder)) is not None:
        return NewLock(lock)
    known = frozenset() if old is None or context.policy.upgrade else still_left_out(old, declarations) - asked
    parts = [part for part in declared_parts(declarations) if part not in known]
    together = context._replace(declarations=with_parts(declarations, parts))
    failures: Mapping[Part, IsolateError] = {}
    try:
        reject_conflicting_requirements(together.declarations.requirements, declarations.constraints)
        solutions = [_resolved_at_once(together, old, builder, fetch_pins)]
    except IndexFailed:
        raise
    except UNSOLVABLE as failure:
        if asked.issuperset(parts):
            raise
        solutions, failures = resolved_apart(together, old, builder, failure)
    omitted = [left_out(part, declarations) for part in (*known, *failures)]
    return NewLock(lock_of(solutions, declarations, context.interpreter, omitted), notes_on(solutions, failures))


def _resolved_at_once(
    context: LockContext, old: Pylock | None, builder: EnvironmentBuilder, fetch_pins: PinFetcher | None
) -> Solution:
    """Return what everything in the declarations of *context* is resolved to, by the cheapest way."""
    declarations = context.declarations
    resolver = resolver_for(context, old, builder)
    for way, found in () if context.policy.upgrade else _shortcuts(resolver, fetch_pins):
        log.info("resolve: %s: %s", way, "not enough" if found is None else "complete")
        if found is None:
            continue
        solution = context.solution(verified(found, declarations, builder))
        lock = lock_of([solution], declarations, context.interpreter)
        if not (reasons := context.staleness_of(lock)):
            return solution
        log.info("resolve: rejected, because %s", "; ".join(reasons))
    builder.progress.working("resolving")
    with timed(log, "resolve: by pip"):
        resolver = resolver.without(excluded_versions(old, context))
        resolved = verified(resolver.resolve(), declarations, builder)
    resolver.cache.add(resolved)
    return context.solution(resolved)


def _shortcuts(
    resolver: Resolver, fetch_pins: PinFetcher | None
) -> Iterator[tuple[str, Sequence[ResolvedDistribution] | None]]:
    """Yield ways to resolve that cost less than a full resolution, with what each found or None; the cheapest first."""
    context, cache = resolver.context, resolver.cache
    markers = context.interpreter.markers
    yield "from cached metadata", resolve_cached(context.declarations, markers, cache.get)
    if context.declarations.package_indexes:  # the others ask all indexes alike
        return
    if fetch_pins is not None and fetch_pins(context, cache, resolver.builder):
        yield "from the metadata of fetched pins", resolve_cached(context.declarations, markers, cache.get)
    yield "only what has changed", resolver.resolve_changed()
