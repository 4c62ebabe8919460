"""The answer to a plain `isolate sync` that has nothing to do: it needs no more than the stamp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.environment.stamp import answer_if_current
from isolate.environment.variables import variable_line
from isolate.report import Outcome

if TYPE_CHECKING:
    from isolate.application import Application


def answered(application: Application) -> Outcome | None:
    """Return the answer to a plain request if nothing is to be done, without any other look."""
    answer = answer_if_current(str(application.venv), variable_line)
    if answer is None:
        return None
    return Outcome(command="sync", lines=(answer,), facts={"changes": [], "up_to_date": True})
