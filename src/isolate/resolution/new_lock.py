"""Make a new lock: from cached metadata, from pins that have to be fetched anyway, or by a resolution of pip's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from isolate.lock.freshness import staleness
from isolate.lock.from_cache import resolve_cached
from isolate.lock.from_report import lock_from
from isolate.pip.settings import settings_digest
from isolate.resolution.resolver import Resolver, kept_versions
from isolate.store.metadata_cache import MetadataCache

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.pylock import Pylock

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.environment.builder import EnvironmentBuilder
    from isolate.interpreters.interpreter import Interpreter
    from isolate.pip.report import ResolvedDistribution
    from isolate.resolution.context import LockContext

PinFetcher: TypeAlias = "Callable[[LockContext, MetadataCache, EnvironmentBuilder], bool]"
"""Fetches pinned distributions, adds their metadata to the cache, and returns whether it added any."""


def new_lock(
    context: LockContext, old: Pylock | None, builder: EnvironmentBuilder, fetch_pins: PinFetcher | None
) -> Pylock:
    """Return a lock for the declarations that keeps the versions of the *old* one where it may.

    Raises `PipFailed` if pip cannot resolve them.
    """
    declarations, interpreter, digests = context.declarations, context.interpreter, context.source_digests
    cache = metadata_cache(context, builder)
    kept = {} if old is None else kept_versions(old, declarations, context.policy)
    resolver = Resolver(context, builder, kept, cache)
    for resolved in () if context.policy.upgrade else _shortcuts(resolver, fetch_pins):
        if resolved is None:
            continue
        lock = lock_from(resolved, declarations, interpreter, digests)
        if not staleness(lock, declarations, interpreter, digests):
            return lock
    builder.progress.working("resolving")
    resolved = resolver.resolve()
    cache.add(resolved)
    return lock_from(resolved, declarations, interpreter, digests)


def _shortcuts(resolver: Resolver, fetch_pins: PinFetcher | None) -> Iterator[Sequence[ResolvedDistribution] | None]:
    """Yield what pip would resolve to, found without resolving everything; the cheapest way first, None if it fails."""
    context, cache = resolver.context, resolver.cache
    markers = context.interpreter.markers
    yield resolve_cached(context.declarations, markers, cache.get)
    if fetch_pins is not None and fetch_pins(context, cache, resolver.builder):
        yield resolve_cached(context.declarations, markers, cache.get)
    yield resolver.resolve_changed()


def metadata_cache(context: LockContext, builder: EnvironmentBuilder) -> MetadataCache:
    """Return the cached metadata of distributions, as the pip of this application finds them."""
    interpreter = context.interpreter
    environ = builder.pips.config.environ
    fingerprint = index_fingerprint(context.application, context.declarations, interpreter, environ)
    return MetadataCache(store=context.store, compat_tag=interpreter.compat_tag, index_fingerprint=fingerprint)


def index_fingerprint(
    application: Application, declarations: Declarations, interpreter: Interpreter, environ: Mapping[str, str]
) -> str:
    """Return a digest (hex) of what determines which artifacts the pip of *application* finds."""
    settings = settings_digest(environ, application.venv)
    facts = (settings, interpreter.version, interpreter.compat_tag, *declarations.index_options)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
