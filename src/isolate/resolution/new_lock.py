"""Make a new lock: from cached metadata, from pins that have to be fetched anyway, or by a resolution of pip's."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from isolate.lock.freshness import staleness
from isolate.lock.from_cache import resolve_cached
from isolate.lock.from_report import lock_from
from isolate.resolution.resolver import Resolver, kept_versions
from isolate.resolution.verified import verified
from isolate.store.metadata_cache import MetadataCache
from isolate.trace import timed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.pylock import Pylock

    from isolate.environment.builder import EnvironmentBuilder
    from isolate.pip.report import ResolvedDistribution
    from isolate.resolution.context import LockContext

log = logging.getLogger(__name__)

PinFetcher: TypeAlias = "Callable[[LockContext, MetadataCache, EnvironmentBuilder], bool]"
"""Fetches pinned distributions, adds their metadata to the cache, and returns whether it added any."""


def new_lock(
    context: LockContext, old: Pylock | None, builder: EnvironmentBuilder, fetch_pins: PinFetcher | None
) -> Pylock:
    """Return a lock for the declarations that keeps the versions of the *old* one where it may.

    Raises `PipFailed` if pip cannot resolve them.
    """
    declarations, interpreter, digests = context.declarations, context.interpreter, context.source_digests
    for error in declarations.refused:
        raise error
    cache = metadata_cache(context)
    kept = {} if old is None else kept_versions(old, declarations, context.policy)
    resolver = Resolver(context, builder, kept, cache)
    for way, found in () if context.policy.upgrade else _shortcuts(resolver, fetch_pins):
        log.info("resolve: %s: %s", way, "not enough" if found is None else "complete")
        if found is None:
            continue
        resolved = verified(found, declarations, builder)
        lock = lock_from(resolved, declarations, interpreter, digests)
        if not (reasons := staleness(lock, declarations, interpreter, digests)):
            return lock
        log.info("resolve: rejected, because %s", "; ".join(reasons))
    builder.progress.working("resolving")
    with timed(log, "resolve: by pip"):
        resolved = verified(resolver.resolve(), declarations, builder)
    cache.add(resolved)
    return lock_from(resolved, declarations, interpreter, digests)


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


def metadata_cache(context: LockContext) -> MetadataCache:
    """Return the cached metadata of distributions, as the pip of this application finds them."""
    return MetadataCache(
        store=context.store,
        keys=context.keys,
        index_fingerprint=context.index_fingerprint,
    )
