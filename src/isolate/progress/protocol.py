"""The interfaces that long work reports its progress to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class Progress(Protocol):
    """Receives progress reports. Code that does the work never prints."""

    def say(self, line: str) -> None:
        """Show *line* to the user now."""

    def working(self, text: str, position: str = "") -> None:
        """Show *text* as the current activity.

        *position* (`3 of 12`) changes too often for a line of its own.
        """

    def detail(self, line: str) -> None:
        """Show *line* only if the user asked for details."""


class NullProgress:
    """A progress that shows nothing."""

    def say(self, line: str) -> None:
        """Do nothing."""

    def working(self, text: str, position: str = "") -> None:
        """Do nothing."""

    def detail(self, line: str) -> None:
        """Do nothing."""


class PoolObserver(Protocol):
    """Receives the progress reports of all workers of a pool."""

    def on_start(self, name: str) -> None:
        """Note that the task *name* starts."""

    def on_message(self, name: str, method: str, arguments: tuple[str, ...]) -> None:
        """Handle a report of the task *name*: a *method* of `Progress` and its *arguments*."""

    def on_finish(self, name: str) -> None:
        """Note that the task *name* has ended."""

    def tick(self) -> None:
        """Refresh the display; the pool calls this several times a second."""

    def paused(self) -> AbstractContextManager[None]:
        """Return a context manager that hides the display while something else is printed."""
