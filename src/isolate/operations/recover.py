"""Finish what a killed command left before another command looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.environment import staging

if TYPE_CHECKING:
    from isolate.application import Application
    from isolate.session import Session


def recover(application: Application, session: Session) -> None:
    """Ensure that the environment is the old one or the new one, by no more than the renames that are left.

    Opening the store deletes what killed commands left there.
    """
    session.store  # noqa: B018 - the property opens the store
    if staging.needs_recovery(application):
        with application.exclusive(session.waiting_for(application)):
            staging.recover(application)
