"""Entries of the store that turn out damaged are fetched again, whatever the command was about to do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from isolate.environment.link import DamagedEntry

if TYPE_CHECKING:
    from collections.abc import Callable

    from isolate.session import Session

Result = TypeVar("Result")


def retry_damaged(work: Callable[[], Result], session: Session) -> Result:
    """Return what *work* does; where it finds entries damaged, those are thrown out and the work begun anew.

    Until then it must have changed nothing. Raises `DamagedEntry` where all that it finds were fetched again already.
    """
    thrown_out: set[str] = set()
    while True:
        try:
            return work()
        except DamagedEntry as damaged:
            found = {one.key: one for one in (damaged, *damaged.others)}
            if found.keys() <= thrown_out:
                raise
            thrown_out.update(found)
            for one in found.values():
                session.progress.say(f"{one.problem}: {one.key} is thrown out and fetched again")
                session.store.discard(one.key)
