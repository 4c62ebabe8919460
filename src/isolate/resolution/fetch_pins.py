"""Fetch all pins first, assuming that they are complete. They usually are, and then no resolution is needed.

Declarations with many pins mostly pin everything, as the output of `pip freeze` does. So pip is told to install just
the pins, which has to be done anyway, and to report their metadata: that names the dependencies of each.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from isolate.batch_fetch import claiming
from isolate.errors import PipFailed
from isolate.formatting import count
from isolate.lock.artifact import demanded
from isolate.lock.from_cache import pinned_versions
from isolate.lock.graph import applies_here
from isolate.resolution.candidates import valid_lock
from isolate.resolution.context import index_fingerprint
from isolate.resolution.in_force import declarations_in_force
from isolate.resolution.interpreter import interpreter_for
from isolate.resolution.project_metadata import lock_context
from isolate.store.fill import Pin, fill_from_pins
from isolate.store.layout import fill_lock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.environment.builder import EnvironmentBuilder
    from isolate.interpreters.interpreter import Interpreter
    from isolate.request import Request
    from isolate.resolution.context import LockContext
    from isolate.session import Session
    from isolate.store.metadata_cache import MetadataCache

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

    def fetch(pins: Mapping[tuple[str, str], Pin]) -> None:
        builder.progress.working(f"fetching {count(len(pins), 'pinned package')}")
        cache.add(fill_from_pins(context.store, [*pins.values()], pip, cache.keys))

    with session.fill_access(fill_lock(cache.keys.compat_tag, *pin) for pin in missing) as held:
        # Looked up again: another process may have fetched them while this one waited.
        if own := _missing_pins(context.declarations, cache, context.interpreter):
            with_hashes = any(pin.hashes for pin in own.values())
            missing_pins = partial(
                _missing_pins_of, cache=cache, with_hashes=with_hashes, request=request, session=session
            )
            claimed = claiming(missing_pins, held, lambda pin, _: fill_lock(cache.keys.compat_tag, *pin))
            try:
                session.batch.fetch_for_all(context.application, own, claimed, fetch)
            except PipFailed:
                return False
    return True


def _missing_pins_of(
    application: Application, *, cache: MetadataCache, with_hashes: bool, request: Request, session: Session
) -> dict[tuple[str, str], Pin]:
    """Return each pin that *application* lacks, by name and version; none if its pip uses different indexes.

    Only pins with a hash, or only pins without: pip does not accept a mixture.
    """
    request, declarations = declarations_in_force(application, request.for_others, session.looking())
    interpreter = interpreter_for(application, declarations, session, asked=request.python)
    if index_fingerprint(application, declarations, interpreter, session.environ) != cache.index_fingerprint:
        return {}
    context = lock_context(application, declarations, interpreter, request.lock_policy, session)
    if valid_lock(context):
        return {}
    missing = _missing_pins(context.declarations, cache, interpreter)
    return {key: pin for key, pin in missing.items() if bool(pin.hashes) == with_hashes}


def _missing_pins(
    declarations: Declarations, cache: MetadataCache, interpreter: Interpreter
) -> dict[tuple[str, str], Pin]:
    """Return each pin that *cache* lacks, by name and version; none if there are fewer than `MIN_PINS` pins."""
    versions = pinned_versions(declarations, interpreter.markers) or {}
    if len(versions) < MIN_PINS:
        return {}
    missing = {name: version for name, version in versions.items() if cache.get(name, version) is None}
    pins: dict[tuple[str, str], Pin] = {}
    for declared in declarations.requirements:
        if declared.name in declarations.settings.no_build_isolation:
            continue
        if declared.name in missing and applies_here(declared, interpreter.markers):
            name, version = declared.name, missing[declared.name]
            pins.setdefault((name, version), Pin(name, version, declared.text, demanded(declared.hashes)))
    return pins
