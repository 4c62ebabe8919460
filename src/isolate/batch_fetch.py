"""Fetch together what several applications of one command lack.

Otherwise each application would start a pip of its own, one after another, for the few packages that only it lacks.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from isolate.application import Application
    from isolate.locks import NameLocks

Key = TypeVar("Key")
Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_FRUITLESS = 3
"""The number of applications in a row that may add nothing before the search ends: most applications lack the same
packages, or none."""


class BatchFetcher:
    """The applications that one command works on with the same options, each in a process of its own.

    `command` names the lock that one of these processes holds while it fetches; empty for a single application.
    """

    def __init__(self, applications: Sequence[Application] = ()) -> None:
        self.applications = applications
        self.command = f"command {os.getpid()} {os.urandom(8).hex()}" if len(applications) > 1 else ""
        self._failed = mmap.mmap(-1, 1)  # one byte that all processes share: whether a batch has failed

    def fetch_for_all(
        self,
        application: Application,
        own: Mapping[Key, Item],
        missing_of: Callable[[Application], Mapping[Key, Item]],
        fetch: Callable[[Mapping[Key, Item]], Result],
    ) -> Result:
        """Call *fetch* with what *application* lacks (*own*) and with what *missing_of* the others returns.

        If that fails, call *fetch* again with *own* alone, so that one application's failure never fails another. After
        the first failure, batching is disabled for the rest of the command.
        """
        missing = self._missing_for_all(application, own, missing_of)
        if len(missing) > len(own):
            try:
                return fetch(missing)
            except Exception:  # noqa: BLE001 - the application that needs it reports the failure
                self._failed[0] = True
        return fetch(own)

    def _missing_for_all(
        self, application: Application, own: Mapping[Key, Item], missing_of: Callable[[Application], Mapping[Key, Item]]
    ) -> Mapping[Key, Item]:
        """Return *own* and what the others lack. An application that cannot be asked reports why at its own turn."""
        missing, fruitless = dict(own), 0
        for other in () if self._failed[0] else self._others(application):
            before = len(missing)
            with contextlib.suppress(Exception):
                for key, item in missing_of(other).items():
                    missing.setdefault(key, item)
            fruitless = 0 if len(missing) > before else fruitless + 1
            if fruitless == MAX_FRUITLESS:
                break
        return missing

    def _others(self, application: Application) -> Iterator[Application]:
        """Yield the other applications, those first whose turn is still to come."""
        at = self.applications.index(application) if self.applications else 0
        yield from self.applications[at + 1 :]
        yield from self.applications[:at]


def claiming(
    missing_of: Callable[[Application], Mapping[Key, Item]], held: NameLocks, name_of: Callable[[Key, Item], str]
) -> Callable[[Application], Mapping[Key, Item]]:
    """Return *missing_of* without what another process is about to fetch; the rest is locked in *held*, by *name_of*.

    Waiting for that process here could be waiting for one that waits for this one.
    """

    def claimed(application: Application) -> Mapping[Key, Item]:
        missing = missing_of(application)
        return {key: item for key, item in missing.items() if held.try_acquire(name_of(key, item))}

    return claimed
