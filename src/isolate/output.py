"""Writing to standard output and standard error, which may be closed, full, or without a reader."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

TYPE_CHECKING = False  # `fast_path` imports this module, and importing typing takes milliseconds
if TYPE_CHECKING:
    from typing import NoReturn, TextIO

EXIT_SIGPIPE = 141
"""The exit code that a shell reports for a program that SIGPIPE ended: 128 and the number of the signal."""


def printable(text: str) -> str:
    """Return *text* as a terminal, a log or a page may show it: without credentials and control characters.

    A character that could control a terminal or hide text becomes an escape, as in Python. Line feeds do, too: *text*
    is a line, or a part of one. Tabs stay.
    """
    if any(mark in text for mark in ("@", "://", "?", "value as", "port:")):
        from isolate.redaction import redact

        text = redact(text)
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char == "\t" else char.encode("unicode_escape").decode() for char in text
    )


def printable_lines(text: str) -> str:
    """Return *text* with its line feeds, and with escapes as `printable` has them in each line."""
    return "\n".join(map(printable, text.split("\n")))


def write_stdout(text: str, *, end: str = "\n", verbatim: bool = False) -> None:
    """Write *text* to standard output, unless it is closed: as `printable_lines` returns it unless *verbatim*.

    Exits silently if the reader has gone. Raises `OutputNotWritten` if the system refuses to write.
    """
    try:
        _write(sys.stdout, f"{text if verbatim else printable_lines(text)}{end}")
    except OSError as error:
        from isolate.errors import OutputNotWritten

        _redirect_to_devnull(sys.stdout)
        problem = f"the command finished, but its output could not be written: {error.strerror}"
        raise OutputNotWritten(problem, hint="check the file or device that standard output goes to") from None


def write_stderr(text: str) -> None:
    """Write *text* to standard error as `printable_lines` returns it; exit silently if the reader has gone."""
    _write(sys.stderr, f"{printable_lines(text)}\n")


def exit_on_broken_pipe(stream: TextIO) -> NoReturn:
    """Exit as SIGPIPE would end a program, and ensure that Python does not try to flush *stream* at exit."""
    _redirect_to_devnull(stream)
    sys.exit(EXIT_SIGPIPE)


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        return
    if isinstance(stream, TextIOWrapper) and stream.errors == "strict":  # the locale may lack a character
        stream.reconfigure(errors="backslashreplace")
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        exit_on_broken_pipe(stream)


def _redirect_to_devnull(stream: TextIO) -> None:
    try:  # noqa: SIM105 - `fast_path` imports this module, and importing contextlib takes milliseconds
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except OSError:
        pass
