"""`isolate history`: show what each sync changed, and when."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from isolate.environment.history import Generation, read_history
from isolate.formatting import count
from isolate.operations.recover import recover
from isolate.outcome import Outcome

if TYPE_CHECKING:
    from isolate.application import Application
    from isolate.session import Session

MAX_CHANGES_SHOWN = 12
"""How many changes of one sync are shown to people."""


def history(application: Application, session: Session) -> Outcome:
    """Return the recorded syncs of *application*, the latest first."""
    recover(application, session)
    generations = read_history(application.venv)
    lines = [line for generation in generations for line in _lines(generation)] or ["no sync is recorded yet"]
    return Outcome(command="history", lines=tuple(lines), facts={"generations": [*map(_facts, generations)]})


def _facts(generation: Generation) -> dict[str, object]:
    return {
        "number": generation.number,
        "time": generation.time,
        "command": generation.command,
        "changes": list(generation.changes),
        "packages": len(generation.locked),
        "python": generation.interpreter["version"],
    }


def _lines(generation: Generation) -> list[str]:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(generation.time))
    contents = f"{count(len(generation.locked), 'package')}, Python {generation.interpreter['version']}"
    more = len(generation.changes) - MAX_CHANGES_SHOWN
    return [
        f"{generation.number}  {when}  {generation.command}  ({contents})",
        *(f"   {change}" for change in generation.changes[:MAX_CHANGES_SHOWN]),
        *([f"   … {more} more"] if more > 0 else []),
    ]
