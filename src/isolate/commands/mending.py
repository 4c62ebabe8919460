"""Entries of the store that turn out damaged are fetched again, whatever the command was about to do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from isolate.environment.placing import DamagedEntry

if TYPE_CHECKING:
    from collections.abc import Callable

    from isolate.commands.session import Session

Result = TypeVar("Result")


def mending(work: Callable[[], Result], session: Session) -> Result:
    """Return what *work* does; where it finds an entry damaged, that is thrown out and the work begun anew.

    Until then it must have changed nothing. Raises `DamagedEntry` for one that is damaged again after it was fetched.
    """
    thrown_out: set[str] = set()
    while True:
        try:
            return work()
        except DamagedEntry as damaged:
            if damaged.key in thrown_out:
                raise
            thrown_out.add(damaged.key)
            session.progress.say(f"{damaged.problem}: {damaged.key} is thrown out and fetched again")
            session.store.discard(damaged.key)
