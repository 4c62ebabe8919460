"""The pins of many applications to the packages that they disagree on. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_version
from packaging.version import InvalidVersion, Version

from isolate.conflicts.compatibility import groups_of, incompatible_with, pairs_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PYTHON = "Python"
"""What stands among the names of packages for the minor version of Python. No normalized name has a capital."""


class Pin(NamedTuple):
    """One reason why an application has a package; another reason for the same package is another pin.

    `application` is its path relative to the root, `declared` text and place of the declaration that brought the
    package in, `through` the names from that declaration to this package: empty when it is declared itself. `version`
    is empty for a source tree.
    """

    application: str
    name: str
    version: str
    declared: str
    through: tuple[str, ...] = ()


class Conflict(NamedTuple):
    """A package that is pinned to two or more versions: each with its pins, the newest first."""

    name: str
    versions: tuple[tuple[str, tuple[Pin, ...]], ...]

    @property
    def applications(self) -> frozenset[str]:
        """Return the applications that pin it, to whichever version."""
        return frozenset(pin.application for _, pins in self.versions for pin in pins)


class Conflicts(NamedTuple):
    """Everything pinned, what collides, and the groups of applications that could share one environment.

    `pythons` holds the minor version of every application whose Python is known. `groups` is a partition of
    `applications`, the largest group first; no greedy search promises the fewest groups.
    """

    applications: tuple[str, ...]
    pins: tuple[Pin, ...]
    conflicts: tuple[Conflict, ...]
    groups: tuple[tuple[str, ...], ...]
    pythons: tuple[tuple[str, str], ...]

    @property
    def colliding(self) -> frozenset[str]:
        """Return the applications that pin a package which collides."""
        return frozenset().union(*(conflict.applications for conflict in self.conflicts))

    @property
    def different_python(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return the minor versions of Python with their applications, the newest first; empty if there is but one."""
        minors: defaultdict[str, list[str]] = defaultdict(list)
        for application, minor in self.pythons:
            minors[minor].append(application)
        return tuple((minor, tuple(minors[minor])) for minor in newest_first(minors)) if len(minors) > 1 else ()

    @property
    def packages(self) -> int:
        """Return how many packages are pinned."""
        return len({pin.name for pin in self.pins})

    def pairs(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Yield two applications that could not share and the names that prevent it, in order, pair by pair.

        A thousand applications can make half a million pairs, so they are worked out as they are asked for:
        take as many as you need. Where their Pythons differ, `PYTHON` is among the names.
        """
        for first, second, names in pairs_of(self._profiles()):
            yield self.applications[first], self.applications[second], names

    def count_pairs(self) -> int:
        """Return how many pairs there are, without going through them."""
        return sum(incompatible.bit_count() for incompatible in incompatible_with(self._profiles())) // 2

    def _profiles(self) -> list[dict[str, str]]:
        return _profiles(self.applications, self.conflicts, self.pythons)


def find_conflicts(pins: Iterable[Pin], pythons: Mapping[str, str]) -> Conflicts:
    """Return what collides among *pins*. *pythons* maps every application to its Python version, `""` if unknown.

    Versions are compared as versions: `1.0` and `1.0.0` do not collide, and the shorter one is shown. What is no
    version is compared as text. In any order, the same pins give the same result.

    Raises:
        ValueError: An application pins a package to two versions, which no environment can hold.
    """
    known = tuple(sorted(set(pins), key=_place))
    applications = tuple(sorted({*pythons, *(pin.application for pin in known)}))
    minors = tuple((application, _minor(pythons[application])) for application in sorted(pythons))
    minors = tuple((application, minor) for application, minor in minors if minor)
    conflicts = tuple(_conflicts(known))
    groups = groups_of(_profiles(applications, conflicts, minors))
    return Conflicts(
        applications=applications,
        pins=known,
        conflicts=conflicts,
        groups=tuple(tuple(applications[number] for number in group) for group in groups),
        pythons=minors,
    )


def by_version(pins: Iterable[Pin]) -> tuple[tuple[str, tuple[Pin, ...]], ...]:
    """Return the *pins* of one package by version, the newest first. Spellings of one version are one."""
    same: defaultdict[str, list[Pin]] = defaultdict(list)
    for pin in pins:
        same[canonicalize_version(pin.version)].append(pin)
    shown = {min((pin.version for pin in found), key=lambda text: (len(text), text)): found for found in same.values()}
    return tuple((version, tuple(shown[version])) for version in newest_first(shown))


def newest_first(versions: Iterable[str]) -> list[str]:
    """Return *versions* with the newest first, and behind them, as text, what is no version."""
    valid: dict[str, Version] = {}
    rest: list[str] = []
    for version in versions:
        try:
            valid[version] = Version(version)
        except InvalidVersion:
            rest.append(version)
    return [*sorted(sorted(valid), key=lambda version: valid[version], reverse=True), *sorted(rest)]


def packages_of(pins: Iterable[Pin]) -> dict[str, list[Pin]]:
    """Return *pins* by the name of their package, sorted by name."""
    named: defaultdict[str, list[Pin]] = defaultdict(list)
    for pin in pins:
        named[pin.name].append(pin)
    return dict(sorted(named.items()))


def _conflicts(pins: Iterable[Pin]) -> Iterator[Conflict]:
    for name, found in packages_of(pins).items():
        if len({pin.version for pin in found}) > 1:
            versions = by_version(found)
            _check_one_each(name, versions)
            if len(versions) > 1:
                yield Conflict(name=name, versions=versions)


def _check_one_each(name: str, versions: tuple[tuple[str, tuple[Pin, ...]], ...]) -> None:
    seen: dict[str, str] = {}
    for version, pins in versions:
        for pin in pins:
            if seen.setdefault(pin.application, version) != version:
                raise ValueError(f"{pin.application} pins {name} twice: {seen[pin.application]} and {version}")


def _profiles(
    applications: Iterable[str], conflicts: Iterable[Conflict], pythons: Iterable[tuple[str, str]]
) -> list[dict[str, str]]:
    """Return, for each of *applications*, what it needs of the names that somebody needs otherwise."""
    needs: dict[str, dict[str, str]] = {application: {} for application in applications}
    for application, minor in pythons:
        needs[application][PYTHON] = minor
    for conflict in conflicts:
        for version, pins in conflict.versions:
            for pin in pins:
                needs[pin.application][conflict.name] = version
    return list(needs.values())


def _place(pin: Pin) -> tuple[object, ...]:
    return pin.application, pin.name, len(pin.through), pin.through, pin.declared, pin.version


def _minor(python: str) -> str:
    return ".".join(python.split(".")[:2])
