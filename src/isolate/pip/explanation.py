"""Why pip failed, in a few lines and with what to do next. Pure.

pip says what happened, but within hundreds of lines; each kind of failure has its own sentence there, and the first
that is found explains the failure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from packaging.version import InvalidVersion, Version

from isolate.errors import PipFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MOST_LINES = 8


class Declaration(Protocol):
    """As much of a declaration as a message needs."""

    @property
    def name(self) -> str | None:
        """The normalized name."""

    @property
    def text(self) -> str:
        """The requirement as it was declared."""

    @property
    def origin(self) -> object:
        """Where it was declared, as text."""


def explain(output: str, *, declared: Sequence[Declaration]) -> PipFailed:
    """Return the failure that *output*, all that pip said with credentials taken out, is about.

    *declared* are the declarations that pip was given, so that the message can say where the cause stands.
    """
    for kind in KINDS:
        failure = kind(output, declared)
        if failure is not None:
            failure.output = output
            failure.facts = failure.facts[:MOST_LINES]
            return failure
    said = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in said if line.startswith(("ERROR", "error")) and line != "ERROR: Exception:"] or said[-2:]
    return PipFailed(
        "pip failed", facts=tuple(errors[-MOST_LINES:]), hint="run with -v to read all that pip said", output=output
    )


def _wrong_hash(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    del declared
    if "DO NOT MATCH THE HASHES" not in output:
        return None
    lines = output.split("DO NOT MATCH THE HASHES", 1)[1].splitlines()[1:]
    facts = [" ".join(line.split()) for line in lines if re.match(r"\s+(\S+.* from |Expected|or |Got)", line)]
    return PipFailed(
        "an artifact is not the one that was declared or locked: its hash differs",
        facts=tuple(facts),
        hint="if the new file is the one you want, correct the declared hash, or run `isolate lock --upgrade`",
    )


def _missing_hash(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    del declared
    if "--require-hashes mode" not in output:
        return None
    found = re.findall(r"^\s+(\S+==\S+ --hash=\S+)", output, re.MULTILINE)
    found += re.findall(r"^\s{4}(\S+.*)$", output.split("--require-hashes mode", 1)[1], re.MULTILINE)[:4]
    return PipFailed(
        "one declaration has a hash, so all of them need one, and a version pinned with ==",
        facts=tuple(dict.fromkeys(found)),
        hint="add what is missing, or take all hashes out",
    )


def _no_space(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    del declared
    if "No space left on device" not in output and "Errno 28" not in output:
        return None
    return PipFailed("the disk is full", hint="make room where ISOLATE_CACHE_DIR and TMPDIR are, then run it again")


def _not_allowed(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    del declared
    found = re.search(r"(?:\[Errno 13\] )?Permission denied: (\S+)", output)
    if found is None:
        return None
    return PipFailed(f"pip may not write {found[1]}", hint="make it writable, then run the command again")


def _other_python(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    found = re.search(r"Package '([^']+)' requires a different Python: (\S+) not in '([^']+)'", output)
    if found:
        facts = (
            f"{found[1]} needs Python {found[3]}",
            f"the application has Python {found[2]}",
            *_places(found[1], declared),
        )
        return PipFailed(f"{found[1]} needs another Python", facts=facts, hint=OTHER_PYTHON)
    wanted = re.search(r"satisfies the requirement (\S+)", output)
    needs = re.search(r"require a different python version: (.*)", output)
    name = _name_in(wanted[1]) if wanted else ""
    if not (wanted and needs and _is_asked(wanted[1], needs[1])):
        return None
    asked = sorted(set(re.findall(r"Requires-Python ([^;]+)", needs[1])))
    facts = (f"{name}: Python {' or '.join(asked)[:200]}", *_places(name, declared))
    return PipFailed(f"{wanted[1]} needs another Python", facts=facts, hint=OTHER_PYTHON)


OTHER_PYTHON = "choose another Python with --python, or another version of the package"


def _is_asked(requirement: str, needs: str) -> bool:
    """Say whether the pinned version of *requirement* is among those that need another Python."""
    pin = re.search(r"==([\w.!+-]+)", requirement)
    return pin is None or re.search(rf"(^|; ){re.escape(pin[1])} Requires-Python", needs) is not None


def _conflict(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    if "ResolutionImpossible" not in output and "conflicting dependencies" not in output:
        return None
    _, _, rest = output.partition("The conflict is caused by:")
    causes = []
    for line in rest.splitlines()[1:]:
        if not line.strip():
            break
        causes.append(line.strip())
    facts = [cause + _place_of(cause, declared) for cause in causes]
    return PipFailed(
        "the declared versions contradict each other",
        facts=tuple(facts),
        hint="loosen or remove one of them; `isolate lock --upgrade` lets everything move that is not declared",
    )


def _place_of(cause: str, declared: Sequence[Declaration]) -> str:
    asked = re.match(r"The user requested (?:\(constraint\) )?(.+)", cause)
    if not asked:
        return ""
    squeezed = asked[1].replace(" ", "")
    places = [str(one.origin) for one in declared if one.text.replace(" ", "") == squeezed]
    return f" ({', '.join(places)})" if places else ""


def _unreachable(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    del declared
    causes = (
        (r"(401|403) (?:Client )?Error", "the package index refuses the credentials"),
        (r"HTTP error (\d{3}) while getting|(5\d\d) Server Error", "the package index answers with an error"),
        (r"(IncompleteRead|ProtocolError|IncompleteDownload|incomplete)", "the package index cut an answer short"),
        (r"(Read timed out|ReadTimeout|ConnectTimeout|timed out)", "the package index does not answer"),
        (r"(CERTIFICATE_VERIFY_FAILED|SSLError)", "the certificate of the package index is not trusted"),
        (
            r"(NewConnectionError|ConnectionError|connection broken|Failed to establish)",
            "the package index cannot be reached",
        ),
    )
    for pattern, problem in causes:
        if re.search(pattern, output):
            lines = [line.strip() for line in output.splitlines() if re.search(pattern, line)]
            return PipFailed(problem, facts=(_short(lines[-1]),), hint=UNREACHABLE)
    return None


UNREACHABLE = (
    "check the network and the index settings of pip, then run it again; --offline uses only what the store has"
)


def _short(line: str) -> str:
    return line if len(line) <= 240 else f"{line[:240]} …"  # noqa: PLR2004 - three lines of a terminal


def _no_version(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    found = re.search(r"satisfies the requirement (.+?) \(from versions: ([^)]*)\)", output)
    if not found and (missing := re.search(r"No matching distribution found for (.+)", output)):
        return PipFailed(
            f"nothing that fits this Python was found for {missing[1]}",
            facts=tuple(_places(_name_in(missing[1]), declared)),
            hint="choose another version, or another Python with --python",
        )
    if not found:
        return None
    name, versions = _name_in(found[1]), found[2]
    places = tuple(_places(name, declared))
    if versions.strip() in ("none", ""):
        hint = "check the spelling, and the index settings of pip"
        return PipFailed(f"no package {name} is to be found", facts=places, hint=hint)
    return PipFailed(
        f"{found[1]} does not exist",
        facts=(*places, f"these do: {', '.join(_newest(versions.split(', ')))}"),
        hint="declare a version that exists",
    )


def _newest(versions: Sequence[str]) -> list[str]:
    def order(text: str) -> Version:
        try:
            return Version(text)
        except InvalidVersion:
            return Version("0")

    ordered = sorted(versions, key=order, reverse=True)
    return [*ordered[:8], *(["…"] if len(ordered) > 8 else [])]  # noqa: PLR2004 - as many as fit a line


def _build(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    signs = ("Failed to build", "subprocess-exited-with-error", "metadata-generation-failed", "Failed building")
    if not any(sign in output for sign in signs):
        return None
    name = re.search(
        r"(?:Failed to build|Failed building (?:wheel|editable) for|package metadata\.\n╰─>) '?([\w.-]+)", output
    )
    lines = [line.rstrip(" │╰─>") for line in output.splitlines()]
    cause = [line.strip() for line in lines if re.search(r"^\s+\w*(Error|error|Exception)\b.*", line)]
    who = name[1] if name else "a package"
    facts = (*_places(who, declared), *(_short(line) for line in cause[-4:]))
    return PipFailed(f"{who} could not be built", facts=facts, hint="run with -v to read all that its build said")


def _invalid(output: str, declared: Sequence[Declaration]) -> PipFailed | None:
    del declared
    found = re.search(
        r"ERROR: (.*(?:is invalid|Invalid requirement|is not a valid|File is not a zip|not a supported).*)", output
    )
    if not found:
        return None
    return PipFailed("pip cannot use what it was given", facts=(_short(found[1]),), hint="correct the declaration")


def _name_in(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    return found[0] if found else requirement


def _places(name: str, declared: Sequence[Declaration]) -> Iterator[str]:
    squeezed = re.sub(r"[-_.]+", "-", name).lower()
    for one in declared:
        if one.name == squeezed:
            yield f"{one.text} ({one.origin})"


KINDS: tuple[Callable[[str, Sequence[Declaration]], PipFailed | None], ...] = (
    _wrong_hash,
    _missing_hash,
    _no_space,
    _not_allowed,
    _other_python,
    _conflict,
    _unreachable,
    _no_version,
    _build,
    _invalid,
)
