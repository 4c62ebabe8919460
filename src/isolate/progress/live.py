"""Progress of one application on a terminal: one line that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.output import printable, write_stderr

if TYPE_CHECKING:
    from rich.status import Status


class LiveProgress:
    """Shows the current activity in one line that changes."""

    def __init__(self) -> None:
        """Create one that shows nothing yet."""
        self._status: Status | None = None

    def say(self, line: str) -> None:
        """Write *line* above the changing line."""
        if self._status is None:
            write_stderr(printable(line))
        else:
            self._status.console.print(printable(line), markup=False, highlight=False, emoji=False)

    def working(self, text: str, position: str = "") -> None:
        """Change the line to *text* and *position*."""
        if self._status is None:
            from rich.console import Console

            self._status = Console(stderr=True).status("")
            self._status.start()
        from rich.text import Text

        self._status.update(Text(printable(with_position(text, position)), overflow="ellipsis", no_wrap=True))

    def detail(self, line: str) -> None:
        """Do nothing: there is only one line."""

    def stop(self) -> None:
        """Remove the line."""
        if self._status is not None:
            self._status.stop()
            self._status = None


def with_position(text: str, position: str = "") -> str:
    """Return `checking 12 entries (3 of 12)`, or *text* alone without a position."""
    return f"{text} ({position})" if position else text
