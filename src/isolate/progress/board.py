"""Many applications on a terminal: a line for each that is worked on, and a bar over all."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

OFTEN = 0.1
"""Seconds between two pictures."""


class LiveBoard:
    """Draws in one thread, that of the caller: workers are forked from here."""

    def __init__(self, number: int) -> None:
        """Make one for *number* applications."""
        self._number, self._done = number, 0
        self._at: dict[str, str] = {}
        self._drawn = 0.0
        self._console = Console(stderr=True)
        self._live = self._new()

    def __enter__(self) -> LiveBoard:  # noqa: PYI034 - Self came with Python 3.11
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the picture away."""
        self._live.stop()

    def begins(self, name: str) -> None:
        """Show a line for *name*."""
        self._at[name] = ""

    def hears(self, name: str, kind: str, text: str) -> None:
        """Show what is being done; what a user should read stays above."""
        if kind == "say":
            self._console.print(f"{name}: {text}", markup=False, highlight=False)
        elif kind == "working":
            self._at[name] = text

    def ends(self, name: str) -> None:
        """Take the line of *name* away."""
        self._done += 1
        del self._at[name]

    def moves(self) -> None:
        """Draw again, if the last picture is not too new."""
        if time.monotonic() - self._drawn >= OFTEN:
            self._drawn = time.monotonic()
            self._live.update(self._picture(), refresh=True)

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Take the picture away for as long as something else is printed."""
        self._live.stop()
        try:
            yield
        finally:
            self._live = self._new()
            self._live.start()

    def _new(self) -> Live:
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
        bar.add_row(ProgressBar(total=self._number, completed=self._done, width=30), f"{self._done}/{self._number}")
        lines = (Text(f"{name}: {what}", overflow="ellipsis", no_wrap=True) for name, what in self._at.items())
        return Group(*lines, bar)
