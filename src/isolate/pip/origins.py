"""Find where the requirements that pip complains about were declared. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from packaging.utils import canonicalize_name

from isolate.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Declaration(Protocol):
    """The part of a declared requirement that a message needs."""

    @property
    def name(self) -> str | None:
        """The normalized name."""

    @property
    def text(self) -> str:
        """The requirement as it was declared."""

    @property
    def origin(self) -> object:
        """Where it was declared; `str` of it is for users: `requirements.txt:3`."""


class Unsatisfied(NamedTuple):
    """A requirement that pip finds no version for, the package that needs it, if any, and the versions there are."""

    requirement: str
    parent: str | None
    versions: tuple[str, ...]


def unsatisfied(output: str) -> Unsatisfied | None:
    """Return the requirement that pip finds no version for, or None."""
    match = re.search(r"satisfies the requirement (.+?)(?: \(from ([^)]+)\))? \(from versions: ([^)]*)\)", output)
    if match is None:
        return None
    versions = [] if match[3].strip() in ("none", "") else match[3].split(", ")
    return Unsatisfied(match[1], match[2], tuple(versions))


def needed_by(found: Unsatisfied, declared: Sequence[Declaration]) -> Iterator[str]:
    """Yield the package that needs what was not found, with where it is declared; nothing if it is declared itself."""
    if found.parent:
        yield f"needed by {found.parent}{origins_of(name_in(found.parent), declared)}"


def search_locations(output: str) -> list[str]:
    """Return the lines of *output* in which pip says where it looks for distributions."""
    lines: list[str] = re.findall(r"^ *Looking in (?:indexes|links): .*", output, re.MULTILINE)
    return [line.strip() for line in lines[:2]]


def name_in(requirement: str) -> str:
    """Return the name that *requirement*, as pip writes it, begins with."""
    match = re.match(r"[\w.-]+", requirement)
    return match[0] if match else requirement


def declarations_of(name: str, declared: Sequence[Declaration]) -> Iterator[str]:
    """Yield those of *declared* that are named *name*, each with its origin: `alpha==1.0 (requirements.txt:3)`."""
    for declaration in declared:
        if declaration.name == canonicalize_name(name):
            yield redact(f"{declaration.text} ({declaration.origin})")


def origins_of(name: str, declared: Sequence[Declaration]) -> str:
    """Return where *name* was declared, to be appended to a sentence: ` (requirements.txt:3)`; empty if nowhere."""
    return in_parentheses([str(entry.origin) for entry in declared if entry.name == canonicalize_name(name)])


def in_parentheses(origins: Sequence[str]) -> str:
    """Return *origins* without duplicates, to be appended to a sentence; empty if there are none."""
    return f" ({', '.join(dict.fromkeys(origins))})" if origins else ""
