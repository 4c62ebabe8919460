"""How many pips fill the store at once, and which of them fetches what. Pure.

One pip fetches, unpacks and builds one thing after another, and leaves all cores but one idle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.lock.model import Locked

WORTH = 8
"""Distributions that are worth another pip: to start one takes about as long as to install so many."""

MOST = 4
"""Pips at once, however many cores there are: the package index is not ours alone."""


def portions(missing: Mapping[str, Locked], cores: int) -> list[dict[str, Locked]]:
    """Deal *missing* (by key) out to as many pips as *cores* can run and it is worth to start.

    Whatever has to be built goes to one of them, which so fetches what the builds need once for all.
    """
    wheels = [(key, locked) for key, locked in missing.items() if "wheels" in locked.table]
    others = [(key, locked) for key, locked in missing.items() if "wheels" not in locked.table]
    number = pips_for(len(missing), cores)
    dealt: list[dict[str, Locked]] = [dict(others), *({} for _ in range(number - 1))]
    for key, locked in wheels:
        min(dealt, key=len)[key] = locked
    return [portion for portion in dealt if portion]


def pips_for(number: int, cores: int) -> int:
    """Return how many pips are worth starting for a *number* of distributions."""
    return max(1, min(cores, MOST, number // WORTH))
