"""What a killed command left is finished before any other looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.environment import staging

if TYPE_CHECKING:
    from isolate.application import Application
    from isolate.session import Session


def recover(application: Application, session: Session) -> None:
    """See to it that the environment is the old or the new one, with no more than the renames that are left.

    Opening the store clears away what killed commands left there.
    """
    session.store  # noqa: B018
    if staging.needs_recovery(application):
        with application.exclusive(session.waiting_for(application)):
            staging.recover(application)
