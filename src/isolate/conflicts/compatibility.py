"""Which applications can share an environment. Pure.

An application is a profile: a mapping of names to values. Two applications can share an environment unless they map one
name to different values. A set of applications is an integer with one bit for each, which is fast for a thousand of
them.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Profile = Mapping[str, str]


class _ConflictIndex:
    """Numbered profiles, indexed so that those which conflict with a given profile are found quickly."""

    def __init__(self) -> None:
        self._with_name: defaultdict[str, int] = defaultdict(int)
        self._with_item: defaultdict[tuple[str, str], int] = defaultdict(int)

    def add(self, number: int, profile: Profile) -> None:
        """Add *profile* under *number*; profiles with the same number count as one."""
        bit = 1 << number
        for item in profile.items():
            self._with_name[item[0]] |= bit
            self._with_item[item] |= bit

    def incompatible(self, profile: Profile) -> int:
        """Return, as bits, the numbers of the profiles with a value that differs from one of *profile*."""
        bits = 0
        for item in profile.items():
            bits |= self._with_name.get(item[0], 0) & ~self._with_item.get(item, 0)
        return bits


def incompatible_with(profiles: Sequence[Profile]) -> list[int]:
    """Return for each profile, as bits, the profiles that are incompatible with it."""
    index = _ConflictIndex()
    for number, profile in enumerate(profiles):
        index.add(number, profile)
    return [index.incompatible(profile) for profile in profiles]


def compatible_groups(profiles: Sequence[Profile]) -> list[list[int]]:
    """Return a partition of *profiles*, by number, into groups that can share; few groups, not always the fewest.

    Each profile, in order of most conflicts, joins the first group that is compatible with it. Equal profiles end up in
    one group, because a group that is incompatible now stays incompatible.
    """
    incompatible = incompatible_with(profiles)
    groups: list[list[int]] = []
    index = _ConflictIndex()
    for number in sorted(range(len(profiles)), key=lambda number: (-incompatible[number].bit_count(), number)):
        first = _lowest_unset_bit(index.incompatible(profiles[number]))
        if first == len(groups):
            groups.append([])
        groups[first].append(number)
        index.add(first, profiles[number])
    return sorted((sorted(group) for group in groups), key=lambda group: (-len(group), group))


def incompatible_pairs(profiles: Sequence[Profile]) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Yield, in order, the numbers of each two incompatible profiles, and the names in which they differ."""
    for first, incompatible in enumerate(incompatible_with(profiles)):
        for offset in _set_bits(incompatible >> (first + 1)):
            second = first + 1 + offset
            other = profiles[second]
            names = sorted(name for name, value in profiles[first].items() if other.get(name, value) != value)
            yield first, second, tuple(names)


def _lowest_unset_bit(bits: int) -> int:
    return (~bits & (bits + 1)).bit_length() - 1


def _set_bits(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
