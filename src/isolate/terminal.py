"""How long work shows itself: a live line on a terminal, plain lines elsewhere, nothing when asked to be quiet."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from isolate.report import Progress, Silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.status import Status


class Plain:
    """Writes each line to standard error as it comes."""

    def __init__(self, *, verbose: bool) -> None:
        """Make one that passes pip's own words on if *verbose*."""
        self._verbose = verbose

    def say(self, line: str) -> None:
        """Write *line*."""
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    def working(self, text: str) -> None:
        """Write *text*, unless it is what is being done already."""
        if not self._verbose and text[:1].islower():  # what pip does begins with a capital: too much to read
            self.say(f"{text} …")

    def detail(self, line: str) -> None:
        """Write *line* for somebody who asked for it."""
        if self._verbose:
            self.say(line)


class Live:
    """Shows what is being done in one line that changes."""

    def __init__(self) -> None:
        """Make one that shows nothing yet."""
        self._status: Status | None = None

    def say(self, line: str) -> None:
        """Write *line* above the changing one."""
        if self._status is None:
            sys.stderr.write(f"{line}\n")
        else:
            self._status.console.print(line, markup=False, highlight=False)

    def working(self, text: str) -> None:
        """Change the line to *text*."""
        if self._status is None:
            from rich.console import Console  # noqa: PLC0415 - only when there is something to draw

            self._status = Console(stderr=True).status("")
            self._status.start()
        from rich.text import Text  # noqa: PLC0415

        self._status.update(Text(text, overflow="ellipsis", no_wrap=True))

    def detail(self, line: str) -> None:
        """Do nothing: there is one line to look at."""

    def stop(self) -> None:
        """Take the line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None


@contextlib.contextmanager
def progress_for(*, quiet: bool, verbose: bool) -> Iterator[Progress]:
    """Yield what fits the place where standard error goes."""
    if quiet:
        yield Silent()
    elif verbose or not sys.stderr.isatty():
        yield Plain(verbose=verbose)
    else:
        live = Live()
        try:
            yield live
        finally:
            live.stop()
