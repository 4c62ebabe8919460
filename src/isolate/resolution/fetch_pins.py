"""Fetch all pins first, assuming that they are complete. They usually are, and then no resolution is needed.

Declarations with many pins mostly pin everything, as the output of `pip freeze` does. So pip is told to install just
the pins, which has to be done anyway, and to report their metadata: that names the dependencies of each.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from isolate.batch_fetch import claiming
from isolate.declarations.read import read_declarations
from isolate.errors import PipFailed
from isolate.formatting import count
from isolate.lock.from_cache import pinned_versions
from isolate.lock.graph import applies_here
from isolate.resolution.candidates import valid_lock
from isolate.resolution.context import index_fingerprint, lock_context
from isolate.resolution.interpreter import interpreter_for
from isolate.store.fill import fill_from_pins
from isolate.store.layout import fill_lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from isolate.application import Application
    from isolate.declarations.declared import Declarations, DeclaredRequirement
    from isolate.environment.builder import EnvironmentBuilder
    from isolate.interpreters.interpreter import Interpreter
    from isolate.request import Request
    from isolate.resolution.context import LockContext
    from isolate.session import Session
    from isolate.store.metadata_cache import MetadataCache

    Pin = tuple[str, str]

HASH_OPTION = "--hash="
MIN_PINS = 8
"""The number of pins from which they are assumed to be complete. With fewer, a resolution that turns out to be needed
after all costs more than this saves."""


def fetch_pins(
    context: LockContext, cache: MetadataCache, builder: EnvironmentBuilder, *, request: Request, session: Session
) -> bool:
    """Fetch the pins that *cache* lacks, add their metadata to it, and return whether any was added.

    The pins of other applications of the same command are fetched with them. A failure of pip is not raised: a
    resolution that follows can say more about it.
    """
    if builder.pips.config.offline or not (missing := _missing_pins(context.declarations, cache, context.interpreter)):
        return False
    pip = builder.pips.ensure_pip()  # before the lock is taken: creating the environment for it may need the same lock

    def fetch(lines: Mapping[Pin, str]) -> None:
        builder.progress.working(f"fetching {count(len(lines), 'pinned package')}")
        cache.add(fill_from_pins(context.store, lines, pip))

    with session.fill_access(fill_lock(cache.compat_tag, *pin) for pin in missing) as held:
        # Looked up again: another process may have fetched them while this one waited.
        if own := _missing_pins(context.declarations, cache, context.interpreter):
            with_hashes = any(map(_has_hash, own.values()))
            missing_pins = partial(
                _missing_pins_of, cache=cache, with_hashes=with_hashes, request=request, session=session
            )
            claimed = claiming(missing_pins, held, lambda pin, _: fill_lock(cache.compat_tag, *pin))
            try:
                session.batch.fetch_for_all(context.application, own, claimed, fetch)
            except PipFailed:
                return False
    return True


def _missing_pins_of(
    application: Application, *, cache: MetadataCache, with_hashes: bool, request: Request, session: Session
) -> dict[Pin, str]:
    """Return a requirement line for each pin that *application* lacks; none if its pip uses different indexes.

    Only lines with a hash, or only lines without: pip does not accept a mixture.
    """
    declarations = read_declarations(application.root)
    interpreter = interpreter_for(application, declarations, session, asked=request.python)
    if index_fingerprint(application, declarations, interpreter, session.environ) != cache.index_fingerprint:
        return {}
    if valid_lock(lock_context(application, declarations, interpreter, request.lock_policy, session)):
        return {}
    lines = _missing_pins(declarations, cache, interpreter)
    return {pin: line for pin, line in lines.items() if _has_hash(line) == with_hashes}


def _missing_pins(declarations: Declarations, cache: MetadataCache, interpreter: Interpreter) -> dict[Pin, str]:
    """Return a requirement line for each pin that *cache* lacks; none if there are fewer than `MIN_PINS` pins."""
    pins = pinned_versions(declarations, interpreter.markers) or {}
    if len(pins) < MIN_PINS:
        return {}
    missing = {name: version for name, version in pins.items() if cache.get(name, version) is None}
    declared = (
        requirement
        for requirement in declarations.requirements
        if requirement.name in missing and applies_here(requirement, interpreter.markers)
    )
    return {(name, missing[name]): line for name, line in _lines(declared).items()}


def _lines(declared: Iterable[DeclaredRequirement]) -> dict[str, str]:
    """Return a requirement line for each distribution, with the hashes that are declared for it."""
    by_name: dict[str, str] = {}
    for requirement in declared:
        hashes = "".join(f" {HASH_OPTION}{value}" for value in sorted(requirement.hashes))
        by_name.setdefault(str(requirement.name), f"{requirement.text}{hashes}")
    return by_name


def _has_hash(line: str) -> bool:
    return HASH_OPTION in line
