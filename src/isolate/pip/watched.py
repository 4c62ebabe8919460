"""Run one pip, and write down what it says about the pages of indexes: it passes over a page that it cannot get.

The Python of an environment runs this file as a script, or `concurrent.py` loads it. Therefore it works with every
Python version that pip supports, and it imports nothing of isolate.

    watched.py LOG ARGUMENT...

LOG gets the messages that `index_pages` reads. The pips that this one starts, for build requirements, write their own
log (pip's option `--log`) to it as well. A log of this pip itself would cost more: it has a line for each link.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import runpy
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

COLLECTOR, FINDER = "pip._internal.index.collector", "pip._internal.index.package_finder"
"""The loggers of the modules that get the pages of indexes, and that look at the links on them."""

ABOUT_PAGES = ("Could not fetch URL", "Skipping page", "Fetched page")
ABOUT_LINKS = ("Fetching project page", "Found link", "Skipping link")
NO_FILE = ("Skipping link: not a file", "Skipping link: unsupported archive format")
"""How pip begins to say that it skips a link which does not lead to a distribution."""


def main() -> None:
    """Run the pip that the command line describes, and exit with its status."""
    raise SystemExit(run(sys.argv[1:]))


def run(log_and_arguments: Sequence[str]) -> int:
    """Run a pip in this process, with the log and the arguments of a command line, and return its exit status."""
    log, *arguments = log_and_arguments
    with contextlib.suppress(ImportError):
        importlib.import_module("pip._internal")  # says which class the loggers of pip have
    logging.getLogger("pip").addHandler(_PageLog(log))
    logging.getLogger(COLLECTOR).setLevel(logging.DEBUG)
    # A record for each link would take far more time than these two methods.
    finder, first_file = logging.getLogger(FINDER), _FirstFile(log)
    finder.debug = first_file.debug  # type: ignore[assignment, method-assign]
    finder.isEnabledFor = first_file.is_enabled_for  # type: ignore[method-assign]
    sys.argv = ["pip", *arguments]
    try:
        runpy.run_module("pip", run_name="__main__", alter_sys=True)
    except SystemExit as exit_request:
        return exit_request.code if isinstance(exit_request.code, int) else int(exit_request.code is not None)
    return 0


class _PageLog(logging.Handler):
    """Writes the messages about pages to the log *path*."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        """Write down *record* if it is about a page."""
        os.environ["PIP_LOG"] = self._path  # only now, when pip has read its own settings
        if str(record.msg).startswith(ABOUT_PAGES):
            _write(self._path, record.getMessage())


class _FirstFile:
    """Writes to the log *path* that a page was asked for, and the first link on it that leads to a distribution."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._waits = False

    def is_enabled_for(self, level: int) -> bool:
        """Take the place of the method of a logger: a pip up to 25 asks before it says anything about a link."""
        return level > logging.DEBUG or self._waits

    def debug(self, message: str, *arguments: object, **_: object) -> None:
        """Take the place of the method of a logger: pip calls it for each link."""
        if message.startswith("Fetching project page"):
            self._waits = True
        elif not self._waits:
            return
        text = message % arguments if arguments else message
        self._waits = self._waits and not _is_about_file(text)
        if text.startswith(ABOUT_LINKS):
            _write(self._path, text)


def _is_about_file(text: str) -> bool:
    return text.startswith(ABOUT_LINKS[1:]) and not text.startswith(NO_FILE)


def _write(path: str, line: str) -> None:
    with open(path, "a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(" ".join(line.split()) + "\n")


if __name__ == "__main__":
    main()
