"""Progress of many applications on a terminal: a line for each at work, and one bar for all."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from isolate.output import printable
from isolate.progress.live import with_position

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

REFRESH_INTERVAL = 0.1
"""Minimum number of seconds between two redraws."""


class LiveBoard:
    """Draws in the caller's thread: workers are forked from this process, which must have no other threads."""

    def __init__(self, total: int) -> None:
        """Create one for *total* applications."""
        self._total, self._done = total, 0
        self._activities: dict[str, str] = {}
        self._drawn = 0.0
        self._console = Console(stderr=True)
        self._live = self._new_live()

    def __enter__(self) -> LiveBoard:  # noqa: PYI034 - Python 3.10 has no typing.Self
        """Start to draw."""
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the display."""
        self._live.stop()

    def on_start(self, name: str) -> None:
        """Add a line for *name*."""
        self._activities[name] = ""

    def on_message(self, name: str, method: str, arguments: tuple[str, ...]) -> None:
        """Show the current activity of *name*; print what the user must read above the display."""
        if method == "say":
            self._console.print(printable(f"{name}: {arguments[0]}"), markup=False, highlight=False, emoji=False)
        elif method == "working":
            self._activities[name] = with_position(*arguments)

    def on_finish(self, name: str) -> None:
        """Remove the line of *name*."""
        self._done += 1
        del self._activities[name]

    def tick(self) -> None:
        """Redraw, unless the last redraw was a moment ago."""
        if time.monotonic() - self._drawn >= REFRESH_INTERVAL:
            self._drawn = time.monotonic()
            self._live.update(self._picture(), refresh=True)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Hide the display while something else is printed."""
        self._live.stop()
        try:
            yield
        finally:
            self._live = self._new_live()
            self._live.start()

    def _new_live(self) -> Live:
        return Live(
            self._picture(),
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def _picture(self) -> Group:
        bar = Table.grid(padding=(0, 1))
        bar.add_row(ProgressBar(total=self._total, completed=self._done, width=30), f"{self._done}/{self._total}")
        lines = (
            Text(printable(f"{name}: {text}"), overflow="ellipsis", no_wrap=True)
            for name, text in self._activities.items()
        )
        return Group(*lines, bar)
