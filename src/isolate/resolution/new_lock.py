"""A new lock, where none that is there holds: from what is known, from pins that are fetched anyway, else by pip."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from isolate.lock.freshness import staleness
from isolate.lock.from_cache import resolve_cached
from isolate.lock.from_report import lock_from
from isolate.pip.settings import settings_digest
from isolate.resolution.resolver import kept, resolve, resolve_moved
from isolate.store.metadata_cache import MetadataCache

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.pylock import Pylock

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.environment.builder import EnvironmentBuilder
    from isolate.interpreters.interpreter import Interpreter
    from isolate.pip.report import ResolvedDistribution
    from isolate.request import LockPolicy

PinFetcher: TypeAlias = "Callable[[Declarations, MetadataCache, EnvironmentBuilder], bool]"
"""Adds to what is known about pins, and says whether it has."""


def new_lock(  # noqa: PLR0913, PLR0917 - what is asked, and what may be used to answer
    declarations: Declarations,
    old: Pylock | None,
    policy: LockPolicy,
    builder: EnvironmentBuilder,
    trees: Mapping[str, str],
    learn: PinFetcher | None,
) -> Pylock:
    """Return a lock for *declarations* that keeps what it can of the *old* one; raises what pip's failure is called.

    *trees* has a digest of the metadata of each source tree, by its absolute path.
    """
    interpreter = builder.interpreter
    staying = {} if old is None else kept(old, declarations, policy)
    known = _known(declarations, builder)
    ways = () if policy.upgrade else _shortcuts(declarations, staying, policy, known, builder, learn)
    locks = (lock_from(one, declarations, interpreter, trees) for one in ways if one is not None)
    lock = next((one for one in locks if not staleness(one, declarations, interpreter, trees)), None)
    if lock is not None:
        return lock
    builder.progress.working("resolving")
    reported = resolve(declarations, staying, builder)
    known.add(reported)
    return lock_from(reported, declarations, interpreter, trees)


def _shortcuts(  # noqa: PLR0913, PLR0917 - what `new_lock` has at hand
    declarations: Declarations,
    staying: Mapping[str, str],
    policy: LockPolicy,
    known: MetadataCache,
    builder: EnvironmentBuilder,
    learn: PinFetcher | None,
) -> Iterator[Sequence[ResolvedDistribution] | None]:
    """Yield what pip would report, found in ways that cost less than to resolve everything, the cheapest first."""
    markers = builder.interpreter.markers
    yield resolve_cached(declarations, markers, known.get)
    if learn is not None and learn(declarations, known, builder):
        yield resolve_cached(declarations, markers, known.get)
    yield resolve_moved(declarations, staying, policy, known, builder)


def _known(declarations: Declarations, builder: EnvironmentBuilder) -> MetadataCache:
    """Return what is known for the interpreter of *workshop*, from where its pip looks."""
    interpreter = builder.interpreter
    fingerprint = index_fingerprint(builder.application, declarations, interpreter, builder.pips.config.environ)
    return MetadataCache(store=builder.store, compat_tag=interpreter.compat_tag, index_fingerprint=fingerprint)


def index_fingerprint(
    application: Application, declarations: Declarations, interpreter: Interpreter, environ: Mapping[str, str]
) -> str:
    """Return a digest (hex) of what decides which artifacts the pip of *application* finds."""
    settings = settings_digest(environ, application.venv)
    facts = (settings, interpreter.version, interpreter.compat_tag, *declarations.index_options)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
