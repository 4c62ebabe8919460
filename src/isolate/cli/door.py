"""The door: every way in which a run can end, as an exit code and a message.

Exit codes: 0 done, 1 the answer is no, 2 cannot be done as asked, 3 a bug of ours (with a log file), 130 interrupted.
"""

from __future__ import annotations

import signal
import sys

import click

from isolate.cli import many, one
from isolate.cli.ending import in_short
from isolate.cli.group import isolate

ROOMS = (one, many)
"""Importing these gives the group its commands."""


def main() -> None:
    """Run the command line and exit with its code."""
    _end_in_order()
    try:
        sys.exit(isolate.main(standalone_mode=False))
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - whatever it is, it is told in words
        message, code = in_short(error)
        click.echo(message, err=True)
        sys.exit(code)


def _end_in_order() -> None:
    """Let the signals that ask for an end unwind, so that what was started is ended too, and nothing is left."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, lambda received, _: sys.exit(128 + received))
