"""What the applications of one command lack is fetched together.

Else each of them would start a pip of its own for the little that no other has, one after another.
"""

from __future__ import annotations

import contextlib
import mmap
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from isolate.application import Application

Key = TypeVar("Key")
Item = TypeVar("Item")
Result = TypeVar("Result")

ENOUGH = 3
"""How many others in a row may lack nothing new before the search ends. Mostly all lack the same, or nothing."""


class BatchFetcher:
    """Applications of which one command asks the same, each worked on by a process of its own."""

    def __init__(self, applications: Sequence[Application] = ()) -> None:
        self.applications = applications
        self._failed = mmap.mmap(-1, 1)  # one byte that all these processes share: whether fetching together has failed

    def together(
        self,
        application: Application,
        own: Mapping[Key, Item],
        lacked_by: Callable[[Application], Mapping[Key, Item]],
        fetch: Callable[[Mapping[Key, Item]], Result],
    ) -> Result:
        """Let *fetch* what *application* lacks, its *own*, and at once what is *lacked_by* the others.

        If that fails, *fetch* is called again for its *own* alone, so that no failure of another becomes its own; and
        from then on every application fetches only its own.
        """
        whole = self._whole(application, own, lacked_by)
        if len(whole) > len(own):
            try:
                return fetch(whole)
            except Exception:  # noqa: BLE001 - whatever it is, each will say it that cannot do without
                self._failed[0] = True
        return fetch(own)

    def _whole(
        self, application: Application, own: Mapping[Key, Item], lacked_by: Callable[[Application], Mapping[Key, Item]]
    ) -> Mapping[Key, Item]:
        """Return *own* and what the others lack. Where that cannot be told, the other says why when its turn comes."""
        whole, vain = dict(own), 0
        for other in () if self._failed[0] else self._others(application):
            before = len(whole)
            with contextlib.suppress(Exception):
                for key, item in lacked_by(other).items():
                    whole.setdefault(key, item)
            vain = 0 if len(whole) > before else vain + 1
            if vain == ENOUGH:
                break
        return whole

    def _others(self, application: Application) -> Iterator[Application]:
        """Yield the others, first those whose turn is yet to come."""
        at = self.applications.index(application) if self.applications else 0
        yield from self.applications[at + 1 :]
        yield from self.applications[:at]
