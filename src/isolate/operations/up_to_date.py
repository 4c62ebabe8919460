"""Answer a plain `isolate sync` that has nothing to do, from the stamp alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.environment.stamp.read import up_to_date_message
from isolate.environment.stamp.variables import variable_line
from isolate.outcome import Outcome

if TYPE_CHECKING:
    from isolate.application import Application


def up_to_date_outcome(application: Application) -> Outcome | None:
    """Return the outcome of a plain sync if its stamp says that nothing has changed; None if that has to be checked."""
    message = up_to_date_message(str(application.venv), variable_line)
    if message is None:
        return None
    return Outcome(command="sync", lines=(message,), facts={"changes": [], "up_to_date": True})
