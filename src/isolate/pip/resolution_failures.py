"""What pip refuses because of what was declared: pins, hashes, Pythons. Pure.

Each function looks for the sentence by which pip says so, and returns the failure that it is about, or None.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from isolate.errors import PipFailed
from isolate.pip.origins import in_brackets, looked_in, name_in, place_behind, places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isolate.pip.origins import Declaration

MOST_VERSIONS = 8
"""As many as go into a line."""

NOT_FOUND = (
    "check the spelling, and the index: pip says the same of one that is out of reach, refuses the credentials, "
    "or has no file for this Python"
)
OTHER_PYTHON = "choose another Python with --python, or another version of the package"


def wrong_hash(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """An artifact is not the one that its hash stands for."""
    if "DO NOT MATCH THE HASHES" not in output:
        return None
    lines = output.split("DO NOT MATCH THE HASHES", 1)[1].splitlines()[1:]
    facts = [" ".join(line.split()) for line in lines if re.match(r"\s+(\S+.* from |Expected|or |Got)", line)]
    facts = [re.sub(r"#\S+|:$| \(from .*", "", fact) for fact in facts]
    return PipFailed(
        "an artifact is not the one that was declared or locked: its hash differs",
        facts=(*facts[:6], *places(name_in(facts[0]) if facts else "", declared)),
        hint="if the new file is the one you want, correct the declared hash, or run `isolate lock --upgrade`",
    )


def missing_hash(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """Some declarations have hashes, and others have none."""
    _, found, rest = output.partition("--require-hashes mode")
    if not found:
        return None
    lacking = [re.sub(r" (from|\(from) .*", "", line) for line in re.findall(r"^ {4}(\S.*)$", rest, re.MULTILINE)]
    return PipFailed(
        "one declaration has a hash, so all of them need one, and a version pinned with ==",
        facts=tuple(f"{line}{place_behind(name_in(line), declared)}" for line in lacking),
        hint="add what is missing, or take all hashes out",
    )


def other_python(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """What was declared, or what it needs, is for another Python."""
    refused = re.findall(r"Package '([^']+)' requires a different Python: (\S+) not in '([^']+)'", output)
    if found := re.search(r"Packages require a different Python\. (\S+) not in:\n(.*)", output, re.DOTALL):
        rows = re.findall(r"^'([^']+)' \(required by (\S+ \S+)", found[2], re.MULTILINE)
        refused += [(package, found[1], needs) for needs, package in rows]
    if refused:
        name = name_in(refused[0][0])
        facts = [f"{package} needs Python {needs}" for package, _, needs in refused[:4]]
        facts += [f"the application has Python {refused[0][1]}", *places(name, declared)]
        return PipFailed(f"{name} needs another Python", facts=tuple(facts), hint=OTHER_PYTHON)
    wanted = re.search(r"satisfies the requirement (\S+)", output)
    needs = re.search(r"require a different python version: (.*)", output)
    if not (wanted and needs and _is_asked(wanted[1], needs[1])):
        return None
    asked = sorted(set(re.findall(r"Requires-Python ([^;]+)", needs[1])))
    facts = [
        f"{name_in(wanted[1])}: Python {' or '.join(asked)}",
        *places(name_in(wanted[1]), declared),
    ]
    return PipFailed(f"{wanted[1]} needs another Python", facts=tuple(facts), hint=OTHER_PYTHON)


def _is_asked(requirement: str, needs: str) -> bool:
    """Say whether the pinned version of *requirement* is among those that need another Python."""
    pin = re.search(r"==([\w.!+-]+)", requirement)
    return pin is None or re.search(rf"(^|; ){re.escape(pin[1])} Requires-Python", needs) is not None


def conflict(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """The declarations allow no set of versions."""
    if "resolution-too-deep" in output:
        hint = "pin more of what is declared, or narrow its ranges"
        return PipFailed("pip found no versions that go together, and gave up looking", hint=hint)
    if "ResolutionImpossible" not in output and "conflicting dependencies" not in output:
        return None
    _, _, rest = output.partition("The conflict is caused by:\n")
    causes = [line.strip() for line in rest.partition("\n\n")[0].splitlines() if line.strip()]
    return PipFailed(
        "the declared versions contradict each other",
        facts=tuple(cause + _place_of(cause, declared) for cause in causes),
        hint="loosen or remove one of them; `isolate lock --upgrade` lets everything move that is not declared",
    )


def _place_of(cause: str, declared: Sequence[Declaration]) -> str:
    asked = re.match(r"The user requested (?:\(constraint\) )?(.+)", cause)
    if asked is None:
        return place_behind(name_in(cause), declared)
    return in_brackets([str(one.origin) for one in declared if _is_same(one.text, asked[1])])


def _is_same(declared: str, said: str) -> bool:
    """Say whether two requirements are of one name and allow the same versions, however each is spelled."""
    try:
        one, other = Requirement(declared), Requirement(said)
    except InvalidRequirement:
        return declared.replace(" ", "") == said.replace(" ", "")
    return canonicalize_name(one.name) == canonicalize_name(other.name) and one.specifier == other.specifier


def no_version(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """Nothing there is of the name, or of the version, that was declared."""
    found = re.search(r"satisfies the requirement (.+?)(?: \(from ([^)]+)\))? \(from versions: ([^)]*)\)", output)
    if not found:
        missing = re.search(r"No matching distribution found for (\S+)", output)
        if missing is None:
            return None
        return PipFailed(
            f"nothing that fits this Python was found for {missing[1]}",
            facts=tuple(places(name_in(missing[1]), declared)),
            hint="choose another version, or another Python with --python",
        )
    requirement, parent, versions = found.groups()
    name = name_in(requirement)
    facts = (
        *places(name, declared),
        *([f"needed by {parent}{place_behind(name_in(parent), declared)}"] if parent else []),
    )
    if versions.strip() in ("none", ""):
        return PipFailed(f"no package {name} is to be found", facts=(*facts, *looked_in(output)), hint=NOT_FOUND)
    known = sorted(versions.split(", "), key=_order)
    newest = [*reversed(known[-MOST_VERSIONS:]), *(["…"] if len(known) > MOST_VERSIONS else [])]
    facts = (*facts, f"these do: {', '.join(newest)}", *_nearest(requirement, known))
    return PipFailed(f"{requirement} does not exist", facts=facts, hint="declare a version that exists")


def _nearest(requirement: str, known: Sequence[str]) -> list[str]:
    """Return a line with the versions next to the one that was pinned, where there are too many to show them all."""
    pin = re.search(r"==([^,*;\s]+)$", requirement)
    if pin is None or len(known) <= MOST_VERSIONS:
        return []
    below = [one for one in known if _order(one) < _order(pin[1])][-2:]
    above = [one for one in known if _order(one) > _order(pin[1])][:2]
    return [f"next to it: {', '.join((*below, *above))}"]


def _order(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")


def invalid(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    """A requirement, or a file that was declared, cannot be read."""
    del declared
    found = re.findall(
        r"ERROR: (.*(?:is invalid|[Ii]nvalid (?:requirement|wheel)|is not a valid|not a zip|not a supported|"
        r"No such file or directory|does not appear to be|neither).*)",
        output,
    )
    if not found:
        return None
    return PipFailed("pip cannot use what it was given", facts=(found[0],), hint="correct the declaration")
