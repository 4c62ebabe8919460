"""Explain failures that come from the declarations: pins, hashes, Python versions. Pure.

Each function looks for the sentence in which pip reports one kind of failure. It returns that failure, or None.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from isolate.errors import PipFailed
from isolate.pip.diagnostic import references
from isolate.pip.origins import declarations_of, in_parentheses, name_in, origins_of, search_locations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isolate.pip.origins import Declaration

MAX_VERSIONS = 8
"""How many versions one line of a message lists."""

NOT_FOUND_HINT = (
    "check the spelling and the index: pip reports the same if the index cannot be reached, rejects the credentials "
    "or has no file for this Python"
)
PYTHON_HINT = "choose a different Python with --python, or a different version of the package"


def hash_mismatch(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """Return the failure that an artifact does not have the expected hash, or None."""
    if "DO NOT MATCH THE HASHES" not in output:
        return None
    lines = output.split("DO NOT MATCH THE HASHES", 1)[1].splitlines()[1:]
    facts = [" ".join(line.split()) for line in lines if re.match(r"\s+(\S+.* from |Expected|or |Got)", line)]
    facts = [re.sub(r"#\S+|:$| \(from .*", "", fact) for fact in facts]
    return PipFailed(
        "hash mismatch: an artifact is not the one that was declared or locked",
        facts=(*facts[:6], *declarations_of(name_in(facts[0]) if facts else "", declared)),
        hint="if the new file is the one you want, correct the declared hash or run `isolate lock --upgrade`",
    )


def missing_hash(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """Return the failure that only some requirements have hashes and pins, or None."""
    _, mode, rest = output.partition("--require-hashes mode")
    if not mode:
        return None
    lines = [re.sub(r" (from|\(from) .*", "", line) for line in re.findall(r"^ {4}(\S.*)$", rest, re.MULTILINE)]
    return PipFailed(
        "hash-checking mode: every requirement needs a hash and a == pin",
        facts=tuple(f"{line}{origins_of(name_in(line), declared)}" for line in lines),
        hint="add the missing hashes and pins, or remove all hashes",
    )


def incompatible_python(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """Return the failure that a requirement, or one of its dependencies, needs a different Python, or None."""
    if rejected := _rejected_packages(output):
        name = name_in(rejected[0][0])
        facts = [f"{package} requires Python {required}" for package, _, required in rejected[:4]]
        facts += [f"the application uses Python {rejected[0][1]}", *declarations_of(name, declared)]
        return PipFailed(f"{name} requires a different Python", facts=tuple(facts), hint=PYTHON_HINT)
    requirement = re.search(r"satisfies the requirement (\S+)", output)
    versions = re.search(r"require a different python version: (.*)", output)
    if not (requirement and versions and _includes_pin(versions[1], requirement[1])):
        return None
    name = name_in(requirement[1])
    ranges = sorted(set(re.findall(r"Requires-Python ([^;]+)", versions[1])))
    return PipFailed(
        f"{requirement[1]} requires a different Python",
        facts=(f"{name} requires Python {' or '.join(ranges)}", *declarations_of(name, declared)),
        hint=PYTHON_HINT,
    )


def _rejected_packages(output: str) -> list[tuple[str, str, str]]:
    """Return the packages that pip rejects, each with the Python version in use and the range that it requires."""
    rejected = re.findall(r"Package '([^']+)' requires a different Python: (\S+) not in '([^']+)'", output)
    if table := re.search(r"Packages require a different Python\. (\S+) not in:\n(.*)", output, re.DOTALL):
        rows = re.findall(r"^'([^']+)' \(required by (\S+ \S+)", table[2], re.MULTILINE)
        rejected += [(package, table[1], required) for required, package in rows]
    return rejected


def _includes_pin(versions: str, requirement: str) -> bool:
    """Return whether *versions*, which require a different Python, include the one that *requirement* pins, if any."""
    pin = re.search(r"==([\w.!+-]+)", requirement)
    return pin is None or re.search(rf"(^|; ){re.escape(pin[1])} Requires-Python", versions) is not None


def conflict(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """Return the failure that no set of versions meets all requirements, or that pip found none, or None."""
    if "resolution-too-deep" in references(output):
        hint = "pin more of the requirements, or narrow their version ranges"
        return PipFailed("pip gave up resolving (resolution too deep)", hint=hint)
    if "ResolutionImpossible" not in output and "conflicting dependencies" not in output:
        return None
    _, _, rest = output.partition("The conflict is caused by:\n")
    causes = [line.strip() for line in rest.partition("\n\n")[0].splitlines() if line.strip()]
    return PipFailed(
        "conflicting requirements: no set of versions meets all of them",
        facts=tuple(cause + _origins_of_cause(cause, declared) for cause in causes),
        hint="loosen or remove one of them; `isolate lock --upgrade` upgrades everything that is not pinned",
    )


def _origins_of_cause(cause: str, declared: Sequence[Declaration]) -> str:
    requested = re.match(r"The user requested (?:\(constraint\) )?(.+)", cause)
    if requested is None:
        return origins_of(name_in(cause), declared)
    return in_parentheses([str(entry.origin) for entry in declared if _is_same(entry.text, requested[1])])


def _is_same(declared: str, reported: str) -> bool:
    """Return whether two requirements have the same name and the same versions, regardless of their spelling."""
    try:
        left, right = Requirement(declared), Requirement(reported)
    except InvalidRequirement:
        return declared.replace(" ", "") == reported.replace(" ", "")
    return canonicalize_name(left.name) == canonicalize_name(right.name) and left.specifier == right.specifier


def no_matching_version(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """Return the failure that a package, or the requested version of it, was not found, or None."""
    match = re.search(r"satisfies the requirement (.+?)(?: \(from ([^)]+)\))? \(from versions: ([^)]*)\)", output)
    if not match:
        return _no_matching_file(output, declared)
    requirement, parent, listed = match.groups()
    name = name_in(requirement)
    facts = [*declarations_of(name, declared)]
    if parent:
        facts.append(f"needed by {parent}{origins_of(name_in(parent), declared)}")
    if listed.strip() in ("none", ""):
        facts += search_locations(output)
        return PipFailed(f"package {name} was not found", facts=tuple(facts), hint=NOT_FOUND_HINT)
    versions = sorted(listed.split(", "), key=_sort_key)
    newest = [*reversed(versions[-MAX_VERSIONS:]), *(["…"] if len(versions) > MAX_VERSIONS else [])]
    facts += [f"available: {', '.join(newest)}", *_closest(requirement, versions)]
    return PipFailed(f"{requirement} does not exist", facts=tuple(facts), hint="declare a version that exists")


def _no_matching_file(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    match = re.search(r"No matching distribution found for (\S+)", output)
    if match is None:
        return None
    return PipFailed(
        f"no distribution of {match[1]} is compatible with this Python",
        facts=tuple(declarations_of(name_in(match[1]), declared)),
        hint="choose a different version, or a different Python with --python",
    )


def _closest(requirement: str, versions: Sequence[str]) -> list[str]:
    """Return a line with the *versions* closest to the pinned one, if there are too many to list them all."""
    pin = re.search(r"==([^,*;\s]+)$", requirement)
    if pin is None or len(versions) <= MAX_VERSIONS:
        return []
    below = [version for version in versions if _sort_key(version) < _sort_key(pin[1])][-2:]
    above = [version for version in versions if _sort_key(version) > _sort_key(pin[1])][:2]
    return [f"closest: {', '.join((*below, *above))}"]


def _sort_key(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")


def invalid_input(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """Return the failure that pip cannot read a requirement or a declared file, or None."""
    del declared
    lines = re.findall(
        r"ERROR: (.*(?:is invalid|[Ii]nvalid wheel|is not a valid wheel|not a supported|No such file or directory|"
        r"[Nn]either 'setup\.py' nor 'pyproject\.toml' found).*)",
        output,
    )
    if not lines:
        return None
    return PipFailed("pip rejected a requirement or a file", facts=(lines[0],), hint="correct the declaration")
