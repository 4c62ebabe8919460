"""Start again where what is in the store turns out to be other than expected: damaged, or not what the lock needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from isolate.environment.link import DamagedEntry
from isolate.operations.complete import IncompleteLock

if TYPE_CHECKING:
    from collections.abc import Callable

    from isolate.session import Session

Result = TypeVar("Result")


def retry_damaged(work: Callable[[], Result], session: Session) -> Result:
    """Return the result of *work*. If it finds damaged store entries, discard them and start it again.

    It is started again, too, if what it fetched says that the lock is stale, because then it is known from the start.
    *work* must not have changed anything when it raises `DamagedEntry` or `IncompleteLock`. Raises `DamagedEntry` if
    every entry that is damaged was discarded before.
    """
    discarded: set[str] = set()
    while True:
        try:
            return work()
        except IncompleteLock:
            continue
        except DamagedEntry as damaged:
            entries = {entry.key: entry for entry in (damaged, *damaged.others)}
            if entries.keys() <= discarded:
                raise
            discarded.update(entries)
            for entry in entries.values():
                session.progress.say(f"store entry {entry.key} is damaged ({entry.problem}); re-fetching it")
                session.store.discard(entry.key)
