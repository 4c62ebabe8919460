"""The choice of a display: live on a terminal, plain lines elsewhere, nothing with `--quiet`."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from isolate.progress.live import LiveProgress
from isolate.progress.plain import PerApplicationLines, PlainProgress
from isolate.progress.protocol import NullProgress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isolate.progress.protocol import PoolObserver, Progress


@contextlib.contextmanager
def progress_for(*, quiet: bool, verbose: bool) -> Iterator[Progress]:
    """Yield the progress of one application that suits standard error."""
    if quiet or _is_stderr_closed():
        yield NullProgress()
    elif verbose or not sys.stderr.isatty():
        yield PlainProgress(verbose=verbose)
    else:
        live = LiveProgress()
        try:
            yield live
        finally:
            live.stop()


@contextlib.contextmanager
def observer_for(total: int, *, quiet: bool, verbose: bool) -> Iterator[PoolObserver]:
    """Yield the observer for work on *total* applications that suits standard error."""
    if quiet or _is_stderr_closed():
        yield PerApplicationLines(NullProgress())
    elif verbose or not sys.stderr.isatty():
        yield PerApplicationLines(PlainProgress(verbose=verbose))
    else:
        from isolate.progress.board import LiveBoard

        with LiveBoard(total) as board:
            yield board


def _is_stderr_closed() -> bool:
    """Return whether the command was started with standard error closed (`2>&-`)."""
    return sys.stderr is None
