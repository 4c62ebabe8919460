"""How a failure is told: in words, and as an exit code."""

from __future__ import annotations

import click

from isolate.errors import IsolateError, in_words
from isolate.report import Outcome


def failure(error: BaseException) -> Outcome:
    """Return the failure of one of many applications as an outcome like any other."""
    message, code = in_short(error)
    return Outcome(command="", exit_code=code, facts={"error": message}, lines=(message,))


def in_short(error: BaseException) -> tuple[str, int]:
    """Return what to say about *error*, and the exit code. What nobody expected is written into a file first."""
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return "interrupted", 130
    if isinstance(error, IsolateError):
        return f"isolate: {error}", error.exit_code
    if isinstance(error, OSError):
        return f"isolate: {in_words(error)}", 2
    from isolate.bugs import write_report  # noqa: PLC0415

    return f"isolate: this is a bug ({type(error).__name__}: {error}); it is described in {write_report(error)}", 3
