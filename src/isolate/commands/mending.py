"""Entries of the store that turn out damaged are fetched again, whatever the command was about to do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from isolate.environment.placing import DamagedEntry

if TYPE_CHECKING:
    from collections.abc import Callable

    from isolate.commands.session import Session

Result = TypeVar("Result")

ATTEMPTS = 3
"""How often entries that turn out damaged are fetched again before that is an error."""


def mending(work: Callable[[], Result], session: Session) -> Result:
    """Return what *work* does; where it finds an entry damaged, that is thrown out and the work begun anew.

    Until then it must have changed nothing. Raises `DamagedEntry` if there is no end of them.
    """
    for _ in range(1, ATTEMPTS):
        try:
            return work()
        except DamagedEntry as damaged:
            session.progress.say(f"{damaged.problem}: {damaged.key} is thrown out and fetched again")
            session.store.discard(damaged.key)
    return work()
