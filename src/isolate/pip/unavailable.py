"""Explain why none of the files that an index has of a package can be used. Pure.

pip says only that there is no version; its log has a reason for each file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from isolate.errors import PipFailed
from isolate.pip.origins import declarations_of, name_in, needed_by, unsatisfied

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from isolate.pip.origins import Declaration

OTHER_PYTHONS = "Ignored the following versions that require a different python version"
SKIPPED = re.compile(
    r"Skipping link: (.+?): (?:https?|file)://\S*?/?([^/\s#?]+)(?:[#?]\S*)?(?: \(from .*)?$", re.MULTILINE
)
ABSENT = re.compile(r"Could not fetch URL (\S+): (404|410) Client Error")
FETCHED = re.compile(r"Fetched page (\S+) as ")
IN_USE = re.compile(r"^Python in use: (.+)$", re.MULTILINE)
INVALID = re.compile(
    r"Ignoring version (\S+) of (\S+) since it has invalid metadata:\n(?:Requested .*? metadata: )?(.*)"
)
INCONSISTENT = re.compile(r"Discarding \S+: (Requested (\S+).* has inconsistent .*)")
YANKED = re.compile(r"Ignored the following yanked versions: (.+)")
SDIST_SUFFIX = re.compile(r"\.(?:tar\.(?:bz2|xz|lzma)|tgz|tbz|txz|tlz|tar)$")

MAX_FILES = 4
"""How many files of one kind a message names."""


class Kind(NamedTuple):
    """One kind of reason not to use a file: how pip's reason looks, what a message says, and what to do."""

    sign: str
    problem: str
    fact: str
    hint: str


KINDS = (
    Kind(
        r"none of the wheel's tags|Python version is incorrect",
        "{} has no file for this Python and platform",
        "for others: {}",
        "choose a different Python with --python, or a version that has a wheel for this one or a source distribution",
    ),
    Kind(
        r"No sources permitted",
        "{} is excluded by --only-binary",
        "excluded: {}",
        "exempt it from --only-binary (in the declarations or pip's settings), or choose a version that has a wheel",
    ),
    Kind(
        r"No binaries permitted",
        "{} is excluded by --no-binary",
        "excluded: {}",
        "exempt it from --no-binary (in the declarations or pip's settings), or choose a version that has an sdist",
    ),
    Kind(
        r"Upload time ",
        "{} was uploaded too late for uploaded-prior-to",
        "too late: {}",
        "move uploaded-prior-to in pip's settings, or declare an older version",
    ),
    Kind(
        r"invalid wheel filename|Missing project version|wrong project name|unsupported archive format",
        "{} has only files that pip cannot read",
        "not readable: {}",
        "declare a different version, and report the fault to the maintainers of the package",
    ),
)

YANKED_HINT = "declare a version that is not yanked, or exactly the yanked one (==)"
METADATA_HINT = "declare a different version, and report the fault to the maintainers of the package"


def with_details(output: str, of_package: str, log: Iterable[str], *, python: str) -> str:
    """Return *output*, that of a pip which found no version of a package, with why it did not.

    *of_package* and *log* are what a pip says that is asked for this package alone; *python* is the one in use.
    """
    lines = [line for line in output.splitlines() if OTHER_PYTHONS not in line]
    lines += [line for line in of_package.splitlines() if OTHER_PYTHONS in line]
    lines += [line.rstrip() for line in log if any(sign.search(line) for sign in (SKIPPED, ABSENT, FETCHED))]
    return "\n".join([*lines, f"Python in use: {python}"])


def absent_pages(output: str) -> list[str]:
    """Return a fact for each page of an index that does not exist or lists no file, by the details in *output*."""
    absent = [f"{url} answered {status}" for url, status in ABSENT.findall(output)]
    return list(dict.fromkeys([*absent, *(f"{url} lists no file" for url in FETCHED.findall(output))]))


def unavailable(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """Return the failure that a package is there, and none of its files can be used, or None."""
    found = unsatisfied(output)
    if found is None:
        return None
    name, specifier = name_in(found.requirement), _specifier(found.requirement)
    facts = (*declarations_of(name, declared), *needed_by(found, declared))
    about_metadata = [*_invalid_metadata(output, name, specifier)]
    if about_metadata:
        problem = f"{found.requirement} has invalid metadata"
        return PipFailed(problem, facts=(*facts, *about_metadata[:MAX_FILES]), hint=METADATA_HINT)
    if yanked := _yanked(output, specifier):
        return PipFailed(
            f"{found.requirement} has been yanked from the index",
            facts=(*facts, f"yanked: {', '.join(yanked)}"),
            hint=YANKED_HINT,
        )
    by_kind = _skipped(output, specifier)
    if not by_kind:
        return None
    kind = next(iter(by_kind))
    facts += tuple(kind.fact.format(_listed(files)) for kind, files in by_kind.items())
    if python := IN_USE.search(output):
        facts += (f"the application uses Python {python[1]}",)
    return PipFailed(kind.problem.format(found.requirement), facts=facts, hint=kind.hint)


def _invalid_metadata(output: str, name: str, specifier: SpecifierSet) -> Iterator[str]:
    for version, package, error in dict.fromkeys(INVALID.findall(output)):
        if canonicalize_name(package) == canonicalize_name(name) and _allows(specifier, version):
            yield f"{package} {version}: {error.strip()}"
    for sentence, requirement in dict.fromkeys(INCONSISTENT.findall(output)):
        if canonicalize_name(name_in(requirement)) == canonicalize_name(name):
            yield sentence


def _yanked(output: str, specifier: SpecifierSet) -> list[str]:
    versions = [version for listed in YANKED.findall(output) for version in listed.split(", ")]
    return [version for version in dict.fromkeys(versions) if _allows(specifier, version)]


def _skipped(output: str, specifier: SpecifierSet) -> dict[Kind, list[str]]:
    """Return the files of versions that *specifier* allows, by the kind of reason for which pip skips them."""
    by_kind: dict[Kind, list[str]] = {}
    for reason, file in dict.fromkeys(SKIPPED.findall(output)):
        kind = next((kind for kind in KINDS if re.match(kind.sign, reason)), None)
        if kind is not None and _may_be(file, specifier):
            by_kind.setdefault(kind, []).append(file)
    return {kind: by_kind[kind] for kind in KINDS if kind in by_kind}


def _listed(files: Sequence[str]) -> str:
    newest = list(reversed(files))[:MAX_FILES]
    return ", ".join([*newest, *(["…"] if len(files) > MAX_FILES else [])])


def _specifier(requirement: str) -> SpecifierSet:
    try:
        return Requirement(requirement).specifier
    except InvalidRequirement:
        return SpecifierSet()


def _allows(specifier: SpecifierSet, version: str) -> bool:
    try:
        return specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return not specifier


def _may_be(file: str, specifier: SpecifierSet) -> bool:
    """Return whether *file* has a version that *specifier* allows; a file without a valid version may be any."""
    try:
        if file.endswith(".whl"):
            version = parse_wheel_filename(file)[1]
        else:
            version = parse_sdist_filename(SDIST_SUFFIX.sub(".tar.gz", file))[1]
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return not specifier
    return specifier.contains(version, prereleases=True)
