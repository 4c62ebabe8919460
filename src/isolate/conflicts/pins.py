"""The packages that applications pin to different versions. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_version
from packaging.version import InvalidVersion, Version

from isolate.conflicts.compatibility import compatible_groups, incompatible_pairs, incompatible_with

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PYTHON = "Python"
"""The name, among names of packages, for the minor version of Python. Normalized names have no capitals."""


class Pin(NamedTuple):
    """One reason why an application has a package. Another reason for the same package is another pin.

    `application` is its path relative to the root. `declared` is the text and the place of the declaration that brings
    the package in. `through` has the names from that declaration to this package; it is empty if the declaration names
    the package. `version` is empty for a source tree.
    """

    application: str
    name: str
    version: str
    declared: str
    through: tuple[str, ...] = ()


class Conflict(NamedTuple):
    """A package that is pinned to two or more versions: each version with its pins, the newest first."""

    name: str
    versions: tuple[tuple[str, tuple[Pin, ...]], ...]

    @property
    def applications(self) -> frozenset[str]:
        """Return the applications that pin the package."""
        return frozenset(pin.application for _, pins in self.versions for pin in pins)


class Conflicts(NamedTuple):
    """All pins, the conflicts among them, and the groups of applications that can share an environment.

    `pythons` has the minor version of each application whose Python is known. `groups` is a partition of
    `applications`, the largest group first. A greedy search finds it, so there may be one with fewer groups.
    """

    applications: tuple[str, ...]
    pins: tuple[Pin, ...]
    conflicts: tuple[Conflict, ...]
    groups: tuple[tuple[str, ...], ...]
    pythons: tuple[tuple[str, str], ...]

    @property
    def conflicting_applications(self) -> frozenset[str]:
        """Return the applications that pin a package with a conflict."""
        return frozenset().union(*(conflict.applications for conflict in self.conflicts))

    @property
    def applications_by_python(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return the minor versions of Python, newest first, with their applications; empty if there is only one."""
        minors: defaultdict[str, list[str]] = defaultdict(list)
        for application, minor in self.pythons:
            minors[minor].append(application)
        return tuple((minor, tuple(minors[minor])) for minor in newest_first(minors)) if len(minors) > 1 else ()

    @property
    def package_count(self) -> int:
        """Return how many packages are pinned."""
        return len({pin.name for pin in self.pins})

    def pairs(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Yield, in order, each two applications that cannot share, and the names that prevent it.

        If their Pythons differ, `PYTHON` is among the names. A thousand applications can make half a million pairs, so
        they are computed one by one: the caller can stop early.
        """
        for first, second, names in incompatible_pairs(self._profiles()):
            yield self.applications[first], self.applications[second], names

    def count_pairs(self) -> int:
        """Return the number of pairs, without computing them."""
        return sum(incompatible.bit_count() for incompatible in incompatible_with(self._profiles())) // 2

    def _profiles(self) -> list[dict[str, str]]:
        return _profiles(self.applications, self.conflicts, self.pythons)


def find_conflicts(pins: Iterable[Pin], pythons: Mapping[str, str]) -> Conflicts:
    """Return the conflicts among *pins*. *pythons* maps each application to its Python version, `""` if unknown.

    Versions are compared as versions: `1.0` and `1.0.0` do not conflict, and the shorter text is shown. A text that is
    not a version is compared as text. The result does not depend on the order of *pins*.

    Raises:
        ValueError: An application pins a package to two versions, which no environment can hold.
    """
    sorted_pins = tuple(sorted(set(pins), key=_sort_key))
    applications = tuple(sorted({*pythons, *(pin.application for pin in sorted_pins)}))
    minors = tuple((application, _minor(pythons[application])) for application in sorted(pythons))
    minors = tuple((application, minor) for application, minor in minors if minor)
    conflicts = tuple(_conflicts(sorted_pins))
    groups = compatible_groups(_profiles(applications, conflicts, minors))
    return Conflicts(
        applications=applications,
        pins=sorted_pins,
        conflicts=conflicts,
        groups=tuple(tuple(applications[number] for number in group) for group in groups),
        pythons=minors,
    )


def group_by_version(pins: Iterable[Pin]) -> tuple[tuple[str, tuple[Pin, ...]], ...]:
    """Return the *pins* of one package by version, the newest first. Two spellings of a version count as one."""
    spellings: defaultdict[str, list[Pin]] = defaultdict(list)
    for pin in pins:
        spellings[canonicalize_version(pin.version)].append(pin)
    by_version = {
        min((pin.version for pin in same), key=lambda text: (len(text), text)): same for same in spellings.values()
    }
    return tuple((version, tuple(by_version[version])) for version in newest_first(by_version))


def newest_first(versions: Iterable[str]) -> list[str]:
    """Return *versions*, the newest first; texts that are not versions follow, in alphabetical order."""
    valid: dict[str, Version] = {}
    invalid: list[str] = []
    for version in versions:
        try:
            valid[version] = Version(version)
        except InvalidVersion:
            invalid.append(version)
    return [*sorted(sorted(valid), key=lambda version: valid[version], reverse=True), *sorted(invalid)]


def group_by_package(pins: Iterable[Pin]) -> dict[str, list[Pin]]:
    """Return *pins* by the name of their package, sorted by name."""
    by_name: defaultdict[str, list[Pin]] = defaultdict(list)
    for pin in pins:
        by_name[pin.name].append(pin)
    return dict(sorted(by_name.items()))


def _conflicts(pins: Iterable[Pin]) -> Iterator[Conflict]:
    for name, same_package in group_by_package(pins).items():
        if len({pin.version for pin in same_package}) > 1:
            versions = group_by_version(same_package)
            _check_one_each(name, versions)
            if len(versions) > 1:
                yield Conflict(name=name, versions=versions)


def _check_one_each(name: str, versions: tuple[tuple[str, tuple[Pin, ...]], ...]) -> None:
    """Raise `ValueError` if an application is in two of *versions*, those of the package *name*."""
    seen: dict[str, str] = {}
    for version, pins in versions:
        for pin in pins:
            if seen.setdefault(pin.application, version) != version:
                raise ValueError(f"{pin.application} pins {name} twice: {seen[pin.application]} and {version}")


def _profiles(
    applications: Iterable[str], conflicts: Iterable[Conflict], pythons: Iterable[tuple[str, str]]
) -> list[dict[str, str]]:
    """Return, for each of *applications*, its Python and its versions of the packages that have a conflict."""
    profiles: dict[str, dict[str, str]] = {application: {} for application in applications}
    for application, minor in pythons:
        profiles[application][PYTHON] = minor
    for conflict in conflicts:
        for version, pins in conflict.versions:
            for pin in pins:
                profiles[pin.application][conflict.name] = version
    return list(profiles.values())


def _sort_key(pin: Pin) -> tuple[object, ...]:
    return pin.application, pin.name, len(pin.through), pin.through, pin.declared, pin.version


def _minor(python: str) -> str:
    return ".".join(python.split(".")[:2])
