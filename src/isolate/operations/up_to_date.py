"""The answer to a plain `isolate sync` that has nothing to do: it needs no more than the stamp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.environment.stamp.read import up_to_date_message
from isolate.environment.stamp.variables import variable_line
from isolate.outcome import Outcome

if TYPE_CHECKING:
    from isolate.application import Application


def up_to_date_outcome(application: Application) -> Outcome | None:
    """Return the answer to a plain request if nothing is to be done, without any other look."""
    answer = up_to_date_message(str(application.venv), variable_line)
    if answer is None:
        return None
    return Outcome(command="sync", lines=(answer,), facts={"changes": [], "up_to_date": True})
