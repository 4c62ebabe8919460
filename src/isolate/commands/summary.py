"""What a command about many applications came to, in one line. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.report import count

if TYPE_CHECKING:
    from collections.abc import Iterable

FAILED = 2
"""The least exit code that means a failure; 1 is an answer, which is no."""


def summary(codes: Iterable[int], same: int) -> str:
    """Return the line for applications that ended with these exit codes, *same* of them with nothing to do."""
    every = list(codes)
    parts = (
        (every.count(0) - same, "done"),
        (same, "with nothing to do"),
        (every.count(1), "to be looked at"),
        (sum(code >= FAILED for code in every), "failed"),
    )
    said = ", ".join(f"{number} {what}" for number, what in parts if number)
    return f"{count(len(every), 'application')}: {said}"
