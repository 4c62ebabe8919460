"""Writing to the standard streams, which may be closed, or full, or have no reader any more."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

TYPE_CHECKING = False  # `fast_path` imports this module, and typing costs it milliseconds
if TYPE_CHECKING:
    from typing import NoReturn, TextIO

EXIT_SIGPIPE = 141
"""What a shell reports for a program that a closed pipe has ended: 128 and the number of the signal."""


def say(text: str, *, end: str = "\n") -> None:
    """Write *text* to standard output, if it is open.

    Raises `IsolateError` where it cannot be written, and ends quietly where nobody listens any more.
    """
    try:
        _write(sys.stdout, f"{text}{end}")
    except OSError as error:
        from isolate.errors import IsolateError

        _write_to_nowhere(sys.stdout)
        raise IsolateError(f"done, but the answer could not be written: {error.strerror}") from None


def write_stderr(text: str) -> None:
    """Write *text* to standard error, if it is open; end quietly where nobody listens any more."""
    _write(sys.stderr, f"{text}\n")


def exit_on_broken_pipe(stream: TextIO) -> NoReturn:
    """End as a closed pipe ends a program, and leave nothing in *stream* that Python would try to write at the end."""
    _write_to_nowhere(stream)
    sys.exit(EXIT_SIGPIPE)


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        return
    if isinstance(stream, TextIOWrapper) and stream.errors == "strict":  # an arrow that the locale lacks is no failure
        stream.reconfigure(errors="backslashreplace")
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        exit_on_broken_pipe(stream)


def _write_to_nowhere(stream: TextIO) -> None:
    try:  # noqa: SIM105 - `fast_path` imports this module, and contextlib costs it milliseconds too
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except OSError:
        pass
