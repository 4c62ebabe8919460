"""Pins are fetched before it is known whether they are closed; mostly they are, and then no resolver is needed.

Whoever pins many distributions has mostly pinned all, as `pip freeze` does it. So pip is told to install just these,
which it has to do anyway, and to report what it found: that says what each of them needs in turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.errors import PipFailed
from isolate.lock.recall import pinned
from isolate.report import count
from isolate.store.fill import fill_from_pins
from isolate.store.layout import BEING_FILLED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from isolate.declarations.model import Declarations, Declared
    from isolate.environment.workshop import Workshop
    from isolate.store.known import Known

MANY = 8
"""Pins from which on they are taken for closed: with fewer, a resolver that has to come after all costs more."""


def learn_pins(declarations: Declarations, known: Known, workshop: Workshop) -> bool:
    """Fetch the pins of *declarations* that are not *known*, and remember what pip says; say whether there is news.

    What pip cannot do here is no error yet: a resolver can tell more about it.
    """
    pins = pinned(declarations, workshop.interpreter.markers) or {}
    if len(pins) < MANY or workshop.offline or not _unknown(pins, known):
        return False
    pip = workshop.pip()  # before the lock, which making it may need
    with workshop.store.filling(lambda: workshop.progress.say(BEING_FILLED)):
        if unknown := _unknown(pins, known):  # still: another process may have learned them meanwhile
            workshop.progress.working(f"fetching {count(len(unknown), 'pinned package')}")
            lines = _lines(one for one in declarations.requirements if one.name in unknown)
            try:
                known.remember(fill_from_pins(workshop.store, lines, pip))
            except PipFailed:
                return False
    return True


def _unknown(pins: Mapping[str, str], known: Known) -> set[str]:
    return {name for name, version in pins.items() if known.get(name, version) is None}


def _lines(declared: Iterable[Declared]) -> list[str]:
    """Return a line of a requirements file for each distribution, with the hashes that were declared for it."""
    by_name: dict[str, str] = {}
    for one in declared:
        hashes = "".join(f" --hash={value}" for value in sorted(one.hashes))
        by_name.setdefault(str(one.name), f"{one.text}{hashes}")
    return list(by_name.values())
