"""How many pips fill the store at once, and which of them fetches what. Pure.

One pip fetches, unpacks and builds one thing after another, and leaves all cores but one idle.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from isolate.lock.model import Locked

Key = TypeVar("Key")

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
    built = {key for key, locked in missing.items() if "wheels" not in locked.table}
    dealt = deal({key: locked.name for key, locked in missing.items()}, cores, together=built)
    return [{key: missing[key] for key in portion} for portion in dealt]


def deal(names: Mapping[Key, str], cores: int, *, together: Container[Key] = ()) -> list[list[Key]]:
    """Deal the keys of *names* out likewise; those that are to stay *together*, to one if possible.

    Whatever has the same name goes to different portions: no prefix holds two versions of a distribution.
    """
    most = max(Counter(names.values()).values(), default=0)
    dealt: list[dict[str, Key]] = [{} for _ in range(max(number_of_portions(len(names), cores), most))]
    for key in sorted(names, key=lambda key: key not in together):
        free = [portion for portion in dealt if names[key] not in portion]
        chosen = free[0] if key in together else min(free, key=len)
        chosen[names[key]] = key
    return [list(portion.values()) for portion in dealt if portion]


def number_of_portions(number: int, cores: int) -> int:
    """Return how many portions are worth while for a *number* of distributions."""
    at_once = pips_at_once(cores)
    return max(1, min(ROUNDS * at_once, number // WORTH)) if at_once > 1 else 1


def pips_at_once(cores: int) -> int:
    """Return how many pips may work at the same time on so many *cores*."""
    return min(cores, MOST)
