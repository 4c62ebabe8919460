"""How long work shows itself: a live line on a terminal, plain lines elsewhere, nothing when asked to be quiet."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from isolate.output import write_stderr
from isolate.progress.protocol import NullProgress, Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.status import Status

    from isolate.progress.protocol import PoolObserver


def is_managed(text: str) -> bool:
    """Say whether *text* is about what isolate does; what pip does begins with a capital, and is too much to read."""
    return text[:1].islower()


def _nobody_listens() -> bool:
    """Say whether the command was started with its standard error closed (`2>&-`)."""
    return sys.stderr is None


class PlainProgress:
    """Writes each line to standard error as it comes."""

    def __init__(self, *, verbose: bool) -> None:
        """Make one that passes pip's own words on if *verbose*."""
        self._verbose = verbose
        self._verb = ""

    def say(self, line: str) -> None:
        """Write *line*."""
        write_stderr(line)

    def working(self, text: str) -> None:
        """Write *text* where work of another kind begins, as its first word tells; pip's own words tell the rest."""
        verb = text.partition(" ")[0]
        if not self._verbose and is_managed(text) and verb != self._verb:
            self._verb = verb
            self.say(f"{text} …")

    def detail(self, line: str) -> None:
        """Write *line* for somebody who asked for it."""
        if self._verbose:
            self.say(line)


class LiveProgress:
    """Shows what is being done in one line that changes."""

    def __init__(self) -> None:
        """Make one that shows nothing yet."""
        self._status: Status | None = None

    def say(self, line: str) -> None:
        """Write *line* above the changing one."""
        if self._status is None:
            write_stderr(line)
        else:
            self._status.console.print(line, markup=False, highlight=False)

    def working(self, text: str) -> None:
        """Change the line to *text*."""
        if self._status is None:
            from rich.console import Console

            self._status = Console(stderr=True).status("")
            self._status.start()
        from rich.text import Text

        self._status.update(Text(text, overflow="ellipsis", no_wrap=True))

    def detail(self, line: str) -> None:
        """Do nothing: there is one line to look at."""

    def stop(self) -> None:
        """Take the line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None


class PerApplicationLines:
    """Writes what each worker says after the name of its application."""

    def __init__(self, progress: Progress) -> None:
        """Make one that writes by way of *progress*."""
        self._progress = progress

    def begins(self, name: str) -> None:
        """Do nothing: the first word is the worker's."""

    def hears(self, name: str, kind: str, text: str) -> None:
        """Write what is worth a line."""
        if kind == "say" or (kind == "working" and is_managed(text)):
            self._progress.say(f"{name}: {text}")
        elif kind == "detail":
            self._progress.detail(f"{name}: {text}")

    def ends(self, name: str) -> None:
        """Do nothing: what came of it is printed."""

    def moves(self) -> None:
        """Do nothing."""

    def aside(self) -> contextlib.AbstractContextManager[None]:
        """Return what does nothing: lines are in nobody's way."""
        return contextlib.nullcontext()


@contextlib.contextmanager
def board_for(number: int, *, quiet: bool, verbose: bool) -> Iterator[PoolObserver]:
    """Yield what shows the work on *number* applications in a way that fits the place where standard error goes."""
    if quiet or _nobody_listens():
        yield PerApplicationLines(NullProgress())
    elif verbose or not sys.stderr.isatty():
        yield PerApplicationLines(PlainProgress(verbose=verbose))
    else:
        from isolate.progress.board import LiveBoard

        with LiveBoard(number) as board:
            yield board


@contextlib.contextmanager
def progress_for(*, quiet: bool, verbose: bool) -> Iterator[Progress]:
    """Yield what fits the place where standard error goes."""
    if quiet or _nobody_listens():
        yield NullProgress()
    elif verbose or not sys.stderr.isatty():
        yield PlainProgress(verbose=verbose)
    else:
        live = LiveProgress()
        try:
            yield live
        finally:
            live.stop()
