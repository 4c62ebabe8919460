"""How many pips fill the store at once, and which of them fetches what. Pure.

One pip fetches, unpacks and builds one thing after another, and leaves all cores but one idle.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from isolate.locked import LockedDistribution

Key = TypeVar("Key")

WORTH = 8
"""Distributions that are worth a second pip: to begin another takes a tenth of a second."""

LEAST = 4
"""Distributions that are worth a portion of their own."""

MOST = 4
"""Pips at once, however many cores there are: the package index is not ours alone."""

SHARE = 1.5
"""How many times smaller a portion is than what each pip would get if all that is left were dealt out evenly."""


def batches(missing: Mapping[str, LockedDistribution], cores: int) -> list[dict[str, LockedDistribution]]:
    """Deal *missing* (by key) out into portions for pips that work on as many *cores*.

    Whatever has to be built is in one of them, the first, whose pip so fetches what the builds need once for all. But
    repositories have no hash, and pip wants one of everything as soon as anything has one: they are dealt out apart.
    """
    repositories = {key: locked for key, locked in missing.items() if "vcs" in locked.table}
    if repositories and len(repositories) < len(missing):
        others = {key: locked for key, locked in missing.items() if key not in repositories}
        return [*batches(others, cores), *batches(repositories, cores)]
    built = {key for key, locked in missing.items() if "wheels" not in locked.table}
    dealt = partition({key: locked.name for key, locked in missing.items()}, cores, together=built)
    return [{key: missing[key] for key in portion} for portion in dealt]


def partition(names: Mapping[Key, str], cores: int, *, together: Container[Key] = ()) -> list[list[Key]]:
    """Deal the keys of *names* out likewise; those that are to stay *together*, to one if possible.

    Whatever has the same name goes to different portions: no prefix holds two versions of a distribution.
    """
    most = max(Counter(names.values()).values(), default=0)
    sizes = sizes_of_portions(len(names), cores)
    sizes += [0] * (most - len(sizes))
    dealt: list[dict[str, Key]] = [{} for _ in sizes]
    for key in sorted(names, key=lambda key: key not in together):
        free = [number for number, portion in enumerate(dealt) if names[key] not in portion]
        room = [number for number in free if len(dealt[number]) < sizes[number]]
        chosen = free[0] if key in together else (room or free)[0]
        dealt[chosen][names[key]] = key
    return [list(portion.values()) for portion in dealt if portion]


def sizes_of_portions(number: int, cores: int) -> list[int]:
    """Return how many of a *number* of distributions go into each portion, the largest first.

    Nobody knows how long one takes. So the first portions are large, because each has to be begun, and the last ones
    small, because in the end one pip works while the others have nothing to do.
    """
    at_once = pips_at_once(cores)
    if at_once == 1 or number < 2 * WORTH:
        return [number]
    sizes = []
    while number:
        sizes.append(min(number, max(LEAST, round(number / (SHARE * at_once)))))
        number -= sizes[-1]
    return sizes


def pips_at_once(cores: int) -> int:
    """Return how many pips may work at the same time on so many *cores*."""
    return min(cores, MOST)
