"""Which Python the packages need that pip could not install for the one in use. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from isolate.pip.origins import name_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class NeededPython(NamedTuple):
    """A `package`, and the ranges of Python versions of those releases of it that could be installed."""

    package: str
    ranges: tuple[str, ...]

    def is_met_by(self, version: str) -> bool:
        """Return whether one of the releases can be installed for the Python *version*."""
        return any(SpecifierSet(part).contains(version, prereleases=True) for part in self.ranges)

    def __str__(self) -> str:
        """Return `numpy requires Python >=3.12`."""
        return f"{self.package} requires Python {' or '.join(self.ranges)}"


def needed_pythons(output: str) -> tuple[NeededPython, ...]:
    """Return what packages need of a Python, all of it, by the *output* of a pip that failed; empty if nothing."""
    found = [*_rejected(output), *_ignored(output)]
    by_package: dict[str, list[str]] = {}
    for package, required in found:
        if _is_range(required):
            by_package.setdefault(package, []).append(required)
    return tuple(NeededPython(package, tuple(dict.fromkeys(ranges))) for package, ranges in by_package.items())


def _rejected(output: str) -> Iterator[tuple[str, str]]:
    """Yield the packages that pip found and rejected, each with the range that it requires."""
    yield from re.findall(r"Package '([^']+)' requires a different Python: \S+ not in '([^']+)'", output)
    if table := re.search(r"Packages require a different Python\. \S+ not in:\n(.*)", output, re.DOTALL):
        for required, package in re.findall(r"^'([^']+)' \(required by (\S+)", table[1], re.MULTILINE):
            yield name_in(package), required


def _ignored(output: str) -> Iterator[tuple[str, str]]:
    """Yield, for a requirement that pip found no version for, the ranges of the versions that it ignored.

    pip does not say of which packages it ignored them: the version has to be one that satisfies the requirement.
    """
    match = re.search(r"satisfies the requirement (.+?)(?: \(from (?:[^()]+)\))? \(from versions:", output)
    ignored = re.search(r"Ignored the following versions that require a different python version: (.*)", output)
    if match is None or ignored is None:
        return
    try:
        requirement = Requirement(match[1])
    except InvalidRequirement:
        return
    rows = (part.partition(" Requires-Python ") for part in ignored[1].split("; "))
    for version, _, required in _newest_first(rows):
        if requirement.specifier.contains(version, prereleases=True):
            yield requirement.name, required.strip()


def _newest_first(rows: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Return *rows* that begin with a valid version, the newest first: its range is told first."""
    valid = [row for row in rows if _version(row[0]) is not None]
    return sorted(valid, key=lambda row: _version(row[0]) or Version("0"), reverse=True)


def _version(text: str) -> Version | None:
    try:
        return Version(text.strip())
    except InvalidVersion:
        return None


def _is_range(text: str) -> bool:
    try:
        return bool(text) and SpecifierSet(text) is not None
    except InvalidSpecifier:
        return False
