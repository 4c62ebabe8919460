"""The trace that `--verbose` shows: which decisions a command made, why, and how long its steps took.

A module logs to `logging.getLogger(__name__)`: decisions at level INFO (`-v`), the output of pip at level DEBUG
(`-vv`). Without `--verbose` nothing handles these records, and making one costs a comparison of two numbers. Modules
that a sync with nothing to do imports do not log, because importing `logging` costs milliseconds.
"""

from __future__ import annotations

import contextlib
import logging
import time
from typing import TYPE_CHECKING

from isolate.formatting import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isolate.progress.protocol import Progress

ROOT = logging.getLogger("isolate")
LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)
"""The level to show, by how often `--verbose` is given."""


class _ProgressHandler(logging.Handler):
    """Reports each record as a detail of the progress."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        self._progress.detail(record.getMessage())


@contextlib.contextmanager
def traced(progress: Progress, verbosity: int) -> Iterator[None]:
    """Report the trace to *progress* while the block runs; *verbosity* says how often `--verbose` was given."""
    handlers, level = ROOT.handlers, ROOT.level
    ROOT.handlers = [_ProgressHandler(progress)]  # a forked worker reports to its own progress alone
    ROOT.setLevel(LEVELS[min(verbosity, len(LEVELS) - 1)])
    try:
        yield
    finally:
        ROOT.handlers = handlers
        ROOT.setLevel(level)


@contextlib.contextmanager
def timed(logger: logging.Logger, step: str) -> Iterator[None]:
    """Log how long the block took: `STEP: 1.2 s`. A block that raises is logged too."""
    started = time.monotonic()
    try:
        yield
    finally:
        logger.info("%s: %s", step, duration(time.monotonic() - started))
