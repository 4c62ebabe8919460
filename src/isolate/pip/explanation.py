"""Why pip failed, in a few lines and with what to do next. Pure.

pip says what happened, but within hundreds of lines; each kind of failure has its own sentence there, and the first
that is found explains the failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.errors import PipFailed
from isolate.pip import resolution_failures, system_failures

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from isolate.pip.origins import Declaration

MOST_FACTS = 8
LONGEST_FACT = 240
"""Characters that a fact has at most: three lines of a terminal."""


OFFLINE = "--offline leaves pip no index to look in: run it again without"


def explain(output: str, *, declared: Sequence[Declaration], offline: bool = False) -> PipFailed:
    """Return the failure that *output*, all that pip said with credentials taken out, is about.

    *declared* are the declarations that pip was given, so that the message can say where the cause stands. It has ten
    lines at most. *offline* says that pip had no index to look in.
    """
    found = (error_outcome for kind in KINDS if (error_outcome := kind(output, declared)) is not None)
    error_outcome = next(found, None) or _other(output)
    if offline and "No matching distribution found" in output:
        error_outcome.hint = OFFLINE
    error_outcome.output = output
    error_outcome.facts = tuple(map(_short, error_outcome.facts[:MOST_FACTS]))
    return error_outcome


def _other(output: str) -> PipFailed:
    said = [line.strip() for line in output.splitlines() if line.strip(" ^~")]
    errors = [line for line in said if line.lower().startswith("error") and line != "ERROR: Exception:"] or said[-2:]
    return PipFailed("pip failed", facts=tuple(errors[-MOST_FACTS:]), hint="run with -v to read all that pip said")


def _short(line: str) -> str:
    return line if len(line) <= LONGEST_FACT else f"{line[:LONGEST_FACT]} …"


KINDS: tuple[Callable[[str, Sequence[Declaration]], PipFailed | None], ...] = (
    resolution_failures.wrong_hash,
    resolution_failures.missing_hash,
    system_failures.no_space,
    system_failures.repository,
    system_failures.build,
    system_failures.not_allowed,
    resolution_failures.other_python,
    resolution_failures.conflict,
    system_failures.unreachable,
    resolution_failures.no_version,
    resolution_failures.invalid,
)
"""What explains a failure, the more telling before what may only follow from it."""
