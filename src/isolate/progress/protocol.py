"""What long work reports its progress to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class Progress(Protocol):
    """Hears what long work is at. Whoever works never prints."""

    def say(self, line: str) -> None:
        """Take note of *line*, which a user should read now."""

    def working(self, text: str) -> None:
        """Take note that *text* is what is being done."""

    def detail(self, line: str) -> None:
        """Take note of *line*, which only somebody who looks for a cause wants to read."""


class NullProgress:
    """Progress that nobody wants to see."""

    def say(self, line: str) -> None:
        """Do nothing."""

    def working(self, text: str) -> None:
        """Do nothing."""

    def detail(self, line: str) -> None:
        """Do nothing."""


class PoolObserver(Protocol):
    """Shows what all workers are at."""

    def begins(self, name: str) -> None:
        """Take note that work on *name* begins."""

    def hears(self, name: str, kind: str, text: str) -> None:
        """Take note of what the worker of *name* tells; *kind* is a method of `Progress`."""

    def ends(self, name: str) -> None:
        """Take note that work on *name* has ended."""

    def moves(self) -> None:
        """Show that time passes."""

    def aside(self) -> AbstractContextManager[None]:
        """Return what to hold while something else is printed."""
