"""Fetch damaged store entries again, whatever the command was about to do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from isolate.environment.link import DamagedEntry

if TYPE_CHECKING:
    from collections.abc import Callable

    from isolate.session import Session

Result = TypeVar("Result")


def retry_damaged(work: Callable[[], Result], session: Session) -> Result:
    """Return the result of *work*. If it finds damaged store entries, discard them and start it again.

    *work* must not have changed anything when it raises `DamagedEntry`. Raises that if every entry that is damaged was
    discarded before.
    """
    discarded: set[str] = set()
    while True:
        try:
            return work()
        except DamagedEntry as damaged:
            entries = {entry.key: entry for entry in (damaged, *damaged.others)}
            if entries.keys() <= discarded:
                raise
            discarded.update(entries)
            for entry in entries.values():
                session.progress.say(f"store entry {entry.key} is damaged ({entry.problem}); re-fetching it")
                session.store.discard(entry.key)
