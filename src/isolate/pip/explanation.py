"""Why pip failed, in a few lines and with what to do next. Pure.

pip says what happened, but within hundreds of lines; each kind of failure has its own sentence there, and the first
that is found explains the failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.errors import PipFailed
from isolate.pip import mishaps, refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from isolate.pip.places import Declaration

MOST_FACTS = 8
LONGEST_FACT = 240
"""Characters that a fact has at most: three lines of a terminal."""


OFFLINE = "--offline leaves pip no index to look in: run it again without"


def explain(output: str, *, declared: Sequence[Declaration], offline: bool = False) -> PipFailed:
    """Return the failure that *output*, all that pip said with credentials taken out, is about.

    *declared* are the declarations that pip was given, so that the message can say where the cause stands. It has ten
    lines at most. *offline* says that pip had no index to look in.
    """
    found = (failure for kind in KINDS if (failure := kind(output, declared)) is not None)
    failure = next(found, None) or _other(output)
    if offline and "No matching distribution found" in output:
        failure.hint = OFFLINE
    failure.output = output
    failure.facts = tuple(map(_short, failure.facts[:MOST_FACTS]))
    return failure


def _other(output: str) -> PipFailed:
    said = [line.strip() for line in output.splitlines() if line.strip(" ^~")]
    errors = [line for line in said if line.lower().startswith("error") and line != "ERROR: Exception:"] or said[-2:]
    return PipFailed("pip failed", facts=tuple(errors[-MOST_FACTS:]), hint="run with -v to read all that pip said")


def _short(line: str) -> str:
    return line if len(line) <= LONGEST_FACT else f"{line[:LONGEST_FACT]} …"


KINDS: tuple[Callable[[str, Sequence[Declaration]], PipFailed | None], ...] = (
    refusals.wrong_hash,
    refusals.missing_hash,
    mishaps.no_space,
    mishaps.repository,
    mishaps.build,
    mishaps.not_allowed,
    refusals.other_python,
    refusals.conflict,
    mishaps.unreachable,
    refusals.no_version,
    refusals.invalid,
)
"""What explains a failure, the more telling before what may only follow from it."""
