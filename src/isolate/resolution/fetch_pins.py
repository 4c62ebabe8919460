"""Pins are fetched before it is known whether they are closed; mostly they are, and then no resolver is needed.

Whoever pins many distributions has mostly pinned all, as `pip freeze` does it. So pip is told to install just these,
which it has to do anyway, and to report what it found: that says what each of them needs in turn.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from isolate.declarations.read import read_declarations
from isolate.errors import PipFailed
from isolate.formatting import count
from isolate.lock.from_cache import pinned_versions
from isolate.lock.graph import applies_here
from isolate.resolution.decide import valid_lock
from isolate.resolution.interpreter import interpreter_for
from isolate.resolution.new_lock import index_fingerprint
from isolate.store.fill import fill_from_pins

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from isolate.application import Application
    from isolate.declarations.declared import Declarations, DeclaredRequirement
    from isolate.environment.builder import EnvironmentBuilder
    from isolate.interpreters.interpreter import Interpreter
    from isolate.request import Request
    from isolate.session import Session
    from isolate.store.metadata_cache import MetadataCache

    Pin = tuple[str, str]

HASH = "--hash="
GC_THRESHOLD = 8
"""Pins from which on they are taken for closed: with fewer, a resolver that has to come after all costs more."""


def fetch_pins(
    declarations: Declarations, known: MetadataCache, builder: EnvironmentBuilder, *, request: Request, session: Session
) -> bool:
    """Fetch the pins of *declarations* that are not *known*, and remember what pip says; say whether there is news.

    Other applications that are asked the same have theirs fetched as well. What pip cannot do here is no error yet: a
    resolver can tell more about it.
    """
    if builder.pips.config.offline or not _unknown(declarations, known, builder.interpreter):
        return False
    pip = builder.pips.ensure_pip()  # before the lock, which making it may need

    def fetch(lines: Mapping[Pin, str]) -> None:
        builder.progress.working(f"fetching {count(len(lines), 'pinned package')}")
        known.add(fill_from_pins(builder.store, lines, pip))

    with builder.store.write_access(session.waiting_for_store):
        # looked for again: another process may have learned them meanwhile
        if own := _unknown(declarations, known, builder.interpreter):
            hashed = any(map(_is_hashed, own.values()))
            lacked_by = partial(_lacked_by, known=known, hashed=hashed, request=request, session=session)
            try:
                session.company.together(builder.application, own, lacked_by, fetch)
            except PipFailed:
                return False
    return True


def _lacked_by(
    other: Application, *, known: MetadataCache, hashed: bool, request: Request, session: Session
) -> dict[Pin, str]:
    """Return a line for each pin that *other* has to fetch; none if its pip would look elsewhere than ours.

    Only lines that are *hashed*, or only others: pip does not take both together.
    """
    declarations = read_declarations(other.root)
    interpreter = interpreter_for(other, declarations, session, asked=request.python)
    if index_fingerprint(other, declarations, interpreter, session.environ) != known.index_fingerprint:
        return {}
    if valid_lock(other, declarations, interpreter, request.lock_policy, session.store) is not None:
        return {}
    lines = _unknown(declarations, known, interpreter)
    return {pin: line for pin, line in lines.items() if _is_hashed(line) == hashed}


def _unknown(declarations: Declarations, known: MetadataCache, interpreter: Interpreter) -> dict[Pin, str]:
    """Return a line of a requirements file for each pin that is not *known*, where there are many pins."""
    pins = pinned_versions(declarations, interpreter.markers) or {}
    if len(pins) < GC_THRESHOLD:
        return {}
    unknown = {name: version for name, version in pins.items() if known.get(name, version) is None}
    lines = _lines(
        one for one in declarations.requirements if one.name in unknown and applies_here(one, interpreter.markers)
    )
    return {(name, unknown[name]): line for name, line in lines.items()}


def _lines(declared: Iterable[DeclaredRequirement]) -> dict[str, str]:
    """Return a line of a requirements file for each distribution, with the hashes that were declared for it."""
    by_name: dict[str, str] = {}
    for one in declared:
        hashes = "".join(f" {HASH}{value}" for value in sorted(one.hashes))
        by_name.setdefault(str(one.name), f"{one.text}{hashes}")
    return by_name


def _is_hashed(line: str) -> bool:
    return HASH in line
