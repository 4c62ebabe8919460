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
from isolate.pip.diagnostic import last_diagnostic, references
from isolate.pip.origins import (
    declarations_of,
    in_parentheses,
    name_in,
    needed_by,
    origins_of,
    search_locations,
    unsatisfied,
)
from isolate.pip.unavailable import absent_pages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isolate.pip.origins import Declaration

MAX_VERSIONS = 8
"""How many versions one line of a message lists."""

NOT_FOUND_HINT = "check the spelling, and the URLs of the indexes"
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


def unhashable(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """Return the failure that something without a hash is declared beside requirements with one, or None."""
    match = re.search(r"Can't verify hashes for these .*(repositories|directories):\n((?: {4}\S.*\n?)+)", output)
    if match is None:
        return None
    names = [re.sub(r" \(?from .*", "", line.strip()) for line in match[2].splitlines()]
    return PipFailed(
        f"hash-checking mode: {match[1]} cannot have a hash",
        facts=tuple(f"{name}{origins_of(name_in(name), declared)}" for name in names),
        hint="write the full commit (git+URL@ and 40 digits) and no --require-hashes, or remove all hashes",
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
        facts += [f"needed by {parent}{origins_of(name_in(parent), declared)}" for parent in _parents(output, name)]
        return PipFailed(f"{name} requires a different Python", facts=tuple(facts), hint=PYTHON_HINT)
    found = unsatisfied(output)
    versions = re.search(r"require a different python version: (.*)", output)
    if not (found and versions and _includes_pin(versions[1], found.requirement)):
        return None
    name = name_in(found.requirement)
    ranges = sorted(set(re.findall(r"Requires-Python ([^;]+)", versions[1])))
    facts = [f"{name} requires Python {' or '.join(ranges)}", *declarations_of(name, declared)]
    facts += needed_by(found, declared)
    return PipFailed(f"{found.requirement} requires a different Python", facts=tuple(facts), hint=PYTHON_HINT)


def _parents(output: str, name: str) -> list[str]:
    """Return the packages that need the package *name*, as pip says when it collects it."""
    taken = re.findall(r"^ *(?:Collecting|Processing) (\S+).* \(from (\S+?)->", output, re.MULTILINE)
    names = ((name_in(what), what.rpartition("/")[2].partition("-")[0], parent) for what, parent in taken)
    wanted = canonicalize_name(name)
    return [*dict.fromkeys(parent for *found, parent in names if wanted in map(canonicalize_name, found))][:2]


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
        diagnostic = last_diagnostic(output)
        facts = () if diagnostic is None else (diagnostic.message, *diagnostic.context)
        hint = "pin more of the requirements, or narrow their version ranges"
        return PipFailed("pip gave up resolving (resolution too deep)", facts=facts, hint=hint)
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
    found = unsatisfied(output)
    if found is None:
        return _no_matching_file(output, declared)
    name = name_in(found.requirement)
    facts = [*declarations_of(name, declared), *needed_by(found, declared)]
    if not found.versions:
        facts += [*search_locations(output), *absent_pages(output)]
        return PipFailed(f"package {name} was not found", facts=tuple(facts), hint=NOT_FOUND_HINT)
    versions = sorted(found.versions, key=_sort_key)
    newest = [*reversed(versions[-MAX_VERSIONS:]), *(["…"] if len(versions) > MAX_VERSIONS else [])]
    facts += [f"available: {', '.join(newest)}", *_closest(found.requirement, versions)]
    return PipFailed(f"{found.requirement} does not exist", facts=tuple(facts), hint="declare a version that exists")


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
