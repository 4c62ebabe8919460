"""Writing to standard output, which may be closed, or full."""

from __future__ import annotations

import contextlib
import os
import sys

import click

from isolate.errors import IsolateError

NOBODY_LISTENS = 141
"""What a shell reports for a program that a closed pipe has ended: 128 and the number of the signal."""


def say(text: str, *, end: str = "\n") -> None:
    """Write *text*; raise `IsolateError` where it cannot be written, and end quietly where nobody listens any more."""
    try:
        click.echo(f"{text}{end}", nl=False)
    except BrokenPipeError:  # click would make a 1 of it, which is an answer
        _write_to_nowhere()
        raise click.exceptions.Exit(NOBODY_LISTENS) from None
    except OSError as error:
        _write_to_nowhere()
        raise IsolateError(f"done, but the answer could not be written: {error.strerror}") from None


def _write_to_nowhere() -> None:
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
