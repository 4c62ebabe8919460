"""Progress as plain lines on standard error, for logs, pipes and `--verbose`."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from isolate.output import printable, write_stderr

if TYPE_CHECKING:
    from isolate.progress.protocol import Progress


class PlainProgress:
    """Writes one line per report."""

    def __init__(self, *, verbose: bool) -> None:
        """Create one that also writes details, such as the output of pip, if *verbose*."""
        self._verbose = verbose
        self._verb = ""

    def say(self, line: str) -> None:
        """Write *line*."""
        write_stderr(printable(line))

    def working(self, text: str, position: str = "") -> None:
        """Write *text* if its first word differs from that of the last activity.

        With *verbose*, details say the same in full.
        """
        del position
        verb = text.partition(" ")[0]
        if not self._verbose and _is_own(text) and verb != self._verb:
            self._verb = verb
            self.say(f"{text} …")

    def detail(self, line: str) -> None:
        """Write *line* if the user asked for details."""
        if self._verbose:
            self.say(line)


class PerApplicationLines:
    """Writes the reports of each worker, prefixed with the name of its application."""

    def __init__(self, progress: Progress) -> None:
        """Create one that writes to *progress*."""
        self._progress = progress

    def on_start(self, name: str) -> None:
        """Do nothing: the first line is the first report of the worker."""

    def on_message(self, name: str, method: str, arguments: tuple[str, ...]) -> None:
        """Write the report if it deserves a line."""
        text = arguments[0]
        if method == "say" or (method == "working" and _is_own(text)):
            self._progress.say(f"{name}: {text}")
        elif method == "detail":
            self._progress.detail(f"{name}: {text}")

    def on_finish(self, name: str) -> None:
        """Do nothing: the outcome is printed elsewhere."""

    def tick(self) -> None:
        """Do nothing."""

    def paused(self) -> contextlib.AbstractContextManager[None]:
        """Return a context manager that does nothing: there is no display to hide."""
        return contextlib.nullcontext()


def _is_own(text: str) -> bool:
    """Return whether isolate describes its own work in *text*. Output of pip starts with a capital, and is too long."""
    return text[:1].islower()
