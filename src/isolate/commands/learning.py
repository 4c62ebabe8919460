"""Pins are fetched before it is known whether they are closed; mostly they are, and then no resolver is needed.

Whoever pins many distributions has mostly pinned all, as `pip freeze` does it. So pip is told to install just these,
which it has to do anyway, and to report what it found: that says what each of them needs in turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.errors import PipFailed
from isolate.lock.recall import pinned
from isolate.store.fill import fill_from_pins

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    unknown = {name for name, version in pins.items() if known.get(name, version) is None}
    if len(pins) < MANY or not unknown or workshop.offline:
        return False
    workshop.progress.working(f"fetching {len(unknown)} pinned packages")
    lines = _lines(one for one in declarations.requirements if one.name in unknown)
    try:
        found = fill_from_pins(workshop.store, lines, workshop.pip)
    except PipFailed:
        return False
    known.remember(found)
    return True


def _lines(declared: Iterable[Declared]) -> list[str]:
    """Return a line of a requirements file for each distribution, with the hashes that were declared for it."""
    by_name: dict[str, str] = {}
    for one in declared:
        hashes = "".join(f" --hash={value}" for value in sorted(one.hashes))
        by_name.setdefault(str(one.name), f"{one.text}{hashes}")
    return list(by_name.values())
