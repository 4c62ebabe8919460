"""Where what pip complains about was declared. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from packaging.utils import canonicalize_name

from isolate.pip.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


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


def looked_in(output: str) -> list[str]:
    """Return the lines of *output* that say where pip looked for distributions."""
    found: list[str] = re.findall(r"^ *Looking in (?:indexes|links): .*", output, re.MULTILINE)
    return [line.strip() for line in found[:2]]


def name_in(requirement: str) -> str:
    """Return the name that *requirement*, as pip writes it, begins with."""
    found = re.match(r"[\w.-]+", requirement)
    return found[0] if found else requirement


def places(name: str, declared: Sequence[Declaration]) -> Iterator[str]:
    """Yield each of *declared* that is about *name*, with its place: `alpha==1.0 (requirements.txt:3)`."""
    for one in declared:
        if one.name == canonicalize_name(name):
            yield redact(f"{one.text} ({one.origin})")


def place_behind(name: str, declared: Sequence[Declaration]) -> str:
    """Return the places of *name* as they go behind a sentence: ` (requirements.txt:3)`; nothing if there are none."""
    return in_brackets([str(one.origin) for one in declared if one.name == canonicalize_name(name)])


def in_brackets(origins: Sequence[str]) -> str:
    """Return *origins* as they go behind a sentence; nothing if there are none."""
    return f" ({', '.join(dict.fromkeys(origins))})" if origins else ""
