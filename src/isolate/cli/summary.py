"""What a command about many applications came to, in one line. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.formatting import count

if TYPE_CHECKING:
    from collections.abc import Collection

    from isolate.outcome import Outcome

FAILED = 2
"""The least exit code that means a failure; 1 is an answer, which is no."""


def summary(outcomes: Collection[Outcome]) -> str:
    """Return the line for applications of which these are the outcomes."""
    kinds = [_kind(outcome) for outcome in outcomes]
    said = ", ".join(f"{kinds.count(kind)} {kind}" for kind in KINDS if kind in kinds)
    return f"{count(len(kinds), 'application')}: {said}"


KINDS = ("done", "with nothing to do", "to be looked at", "failed")


def _kind(outcome: Outcome) -> str:
    if outcome.exit_code == 0:
        return "with nothing to do" if outcome.facts.get("up_to_date") else "done"
    # the status of a program that was run is its own, and no answer of ours
    return "failed" if outcome.exit_code >= FAILED or outcome.command == "run" else "to be looked at"
