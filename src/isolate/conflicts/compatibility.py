"""Who could share an environment with whom. Pure.

An application is a profile here: what it needs, each by name with one value. Two could share unless they need the same
name with different values. Sets of applications are the bits of an integer, which keeps a thousand of them quick.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Profile = Mapping[str, str]


class _ConflictIndex:
    """A growing set of profiles by number that says which of them a profile could not share with."""

    def __init__(self) -> None:
        self._having: defaultdict[str, int] = defaultdict(int)
        self._agreeing: defaultdict[tuple[str, str], int] = defaultdict(int)

    def add(self, number: int, profile: Profile) -> None:
        """Let *profile* join as, or be merged into, *number*."""
        bit = 1 << number
        for item in profile.items():
            self._having[item[0]] |= bit
            self._agreeing[item] |= bit

    def incompatible(self, profile: Profile) -> int:
        """Return, as bits, the numbers that need something with another value than *profile* does."""
        found = 0
        for item in profile.items():
            found |= self._having.get(item[0], 0) & ~self._agreeing.get(item, 0)
        return found


def incompatible_with(profiles: Sequence[Profile]) -> list[int]:
    """Return for each profile, as bits, those that it could not share with."""
    crowd = _ConflictIndex()
    for number, profile in enumerate(profiles):
        crowd.add(number, profile)
    return [crowd.incompatible(profile) for profile in profiles]


def groups_of(profiles: Sequence[Profile]) -> list[list[int]]:
    """Return a partition of *profiles*, by number, into groups that could share; few groups, not always the fewest.

    Each profile, those with most rivals first, goes to the first group that has room for it. Equal profiles meet in
    one group: what a group has no room for now, it has no room for later either.
    """
    incompatible = incompatible_with(profiles)
    groups: list[list[int]] = []
    crowd = _ConflictIndex()
    for number in sorted(range(len(profiles)), key=lambda number: (-incompatible[number].bit_count(), number)):
        first = _lowest_zero(crowd.incompatible(profiles[number]))
        if first == len(groups):
            groups.append([])
        groups[first].append(number)
        crowd.add(first, profiles[number])
    return sorted((sorted(group) for group in groups), key=lambda group: (-len(group), group))


def pairs_of(profiles: Sequence[Profile]) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Yield every two profiles that could not share, in order, with the names that prevent it."""
    for first, incompatible in enumerate(incompatible_with(profiles)):
        for second in _ones(incompatible >> (first + 1)):
            other = profiles[first + 1 + second]
            names = sorted(name for name, value in profiles[first].items() if other.get(name, value) != value)
            yield first, first + 1 + second, tuple(names)


def _lowest_zero(bits: int) -> int:
    return (~bits & (bits + 1)).bit_length() - 1


def _ones(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
