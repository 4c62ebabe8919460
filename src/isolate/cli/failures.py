"""How the failures of many applications are printed: what fails in the same way for several is told once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from isolate.output import printable, write_stderr

if TYPE_CHECKING:
    from isolate.outcome import Outcome

ORIGIN = re.compile(r" \([^()\s]+(, [^()\s]+)*\)$")
"""Where a requirement was declared, at the end of a fact: ` (requirements.txt:3)`."""

Kind: TypeAlias = tuple[str, str, tuple[str, ...]]


class Failures:
    """Prints failures, each kind in full for the first application that has it."""

    def __init__(self) -> None:
        self._names: dict[Kind, list[str]] = {}

    def print(self, name: str, outcome: Outcome) -> None:
        """Print the error of the application *name*: `NAME: error: ...`, its facts and its hint; if it is new."""
        names = self._names.setdefault(kind_of(outcome), [])
        if not names:
            write_stderr(f"{printable(name)}: " + "\n".join(outcome.lines))
        names.append(name)

    def print_repeated(self) -> None:
        """Print a line for each kind of failure that several applications have: which, and where it was told."""
        for (_, message, _), (first, *others) in self._names.items():
            if others:
                names = ", ".join(map(printable, others))
                write_stderr(f"{names}: error: {printable(message)} (as for {printable(first)})")


def kind_of(outcome: Outcome) -> Kind:
    """Return what failures have in common that differ only in where something was declared."""
    error = cast("Mapping[str, Any]", outcome.facts["error"])
    facts = tuple(fact for fact in error["facts"] if not ORIGIN.search(fact))
    return error["code"], error["message"], facts
