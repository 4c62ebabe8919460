"""How many pips fill the store at once, and which of them fetches what. Pure.

One pip fetches, unpacks and builds one thing after another, and leaves all cores but one idle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.lock.model import Locked

WORTH = 8
"""Distributions that are worth a portion of their own: to begin another takes a tenth of a second or two."""

MOST = 4
"""Pips at once, however many cores there are: the package index is not ours alone."""

ROUNDS = 3
"""Portions for each pip at work: nobody knows how large they are, and who is done early can go on with the next."""


def portions(missing: Mapping[str, Locked], cores: int) -> list[dict[str, Locked]]:
    """Deal *missing* (by key) out into portions for pips that work on as many *cores*.

    Whatever has to be built is in one of them, the first, whose pip so fetches what the builds need once for all.
    """
    wheels = [(key, locked) for key, locked in missing.items() if "wheels" in locked.table]
    others = [(key, locked) for key, locked in missing.items() if "wheels" not in locked.table]
    number = number_of_portions(len(missing), cores)
    dealt: list[dict[str, Locked]] = [dict(others), *({} for _ in range(number - 1))]
    for key, locked in wheels:
        min(dealt, key=len)[key] = locked
    return [portion for portion in dealt if portion]


def number_of_portions(number: int, cores: int) -> int:
    """Return how many portions are worth while for a *number* of distributions."""
    at_once = pips_at_once(cores)
    return max(1, min(ROUNDS * at_once, number // WORTH)) if at_once > 1 else 1


def pips_at_once(cores: int) -> int:
    """Return how many pips may work at the same time on so many *cores*."""
    return min(cores, MOST)
