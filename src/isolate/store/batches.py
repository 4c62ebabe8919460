"""How many pips fill the store at once, and which of them installs what. Pure.

A pip downloads, unpacks and builds one distribution after another, and uses a single core.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from isolate.locked import LockedDistribution

Key = TypeVar("Key")

MIN_FOR_SECOND_PIP = 8
"""Number of distributions per pip from which on a second pip pays off: starting one takes a tenth of a second."""

MIN_BATCH = 4
"""Number of distributions from which on a separate batch pays off."""

MAX_PIPS = 4
"""Limit of pips at once, however many cores there are: the package index has other clients."""

BATCH_SHRINK = 1.5
"""How many times smaller a batch is than an equal share, for each pip, of the distributions that are left."""


def batches(missing: Mapping[str, LockedDistribution], cores: int) -> list[dict[str, LockedDistribution]]:
    """Return *missing* (by key) in batches, each for one pip, on a machine with this many *cores*.

    What has to be built is in one batch, the first, so that its pip downloads build dependencies only once; wheels are
    in others, so that they need not wait for a slow build. VCS requirements get separate batches, because they have no
    hash: pip demands a hash for every requirement as soon as one has a hash.
    """
    vcs = {key: locked for key, locked in missing.items() if "vcs" in locked.table}
    if vcs and len(vcs) < len(missing):
        others = {key: locked for key, locked in missing.items() if key not in vcs}
        return [*batches(others, cores), *batches(vcs, cores)]
    built = {key: locked for key, locked in missing.items() if "wheels" not in locked.table}
    if built and len(built) < len(missing):
        wheels = {key: locked for key, locked in missing.items() if key not in built}
        return [*batches(built, cores), *batches(wheels, cores)]
    parts = partition({key: locked.name for key, locked in missing.items()}, cores, together=built)
    return [{key: missing[key] for key in part} for part in parts]


def partition(names: Mapping[Key, str], cores: int, *, together: Container[Key] = ()) -> list[list[Key]]:
    """Return the keys of *names* in batches; those in *together* are in the first one if possible.

    Keys with the same name are in different batches: a prefix cannot hold two versions of a distribution.
    """
    most_versions = max(Counter(names.values()).values(), default=0)
    sizes = batch_sizes(len(names), cores)
    sizes += [0] * (most_versions - len(sizes))
    parts: list[dict[str, Key]] = [{} for _ in sizes]
    for key in sorted(names, key=lambda key: key not in together):
        allowed = [number for number, part in enumerate(parts) if names[key] not in part]
        not_full = [number for number in allowed if len(parts[number]) < sizes[number]]
        number = allowed[0] if key in together else (not_full or allowed)[0]
        parts[number][names[key]] = key
    return [list(part.values()) for part in parts if part]


def batch_sizes(number: int, cores: int) -> list[int]:
    """Return how many of *number* distributions go into each batch, the largest first.

    How long one takes is unknown. The first batches are large because each pip takes time to start; the last ones are
    small so that no pip works on while all the others have finished.
    """
    pips = concurrent_pips(cores)
    if pips == 1 or number < 2 * MIN_FOR_SECOND_PIP:
        return [number]
    sizes = []
    while number:
        sizes.append(min(number, max(MIN_BATCH, round(number / (BATCH_SHRINK * pips)))))
        number -= sizes[-1]
    return sizes


def concurrent_pips(cores: int) -> int:
    """Return how many pips may work at once on this many *cores*."""
    return min(cores, MAX_PIPS)
