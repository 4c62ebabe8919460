"""The door for everything that a user can say, options and all."""

from __future__ import annotations

from typing import NoReturn

import click

from isolate.cli import commands, repository_commands
from isolate.cli.errors import run_and_exit
from isolate.cli.group import isolate

COMMANDS = (commands, repository_commands)
"""Importing these gives the group its commands."""


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    run_and_exit(_command_line)


def _command_line() -> int | None:
    """Return the exit code of the command that was asked for; what click has to say about it is click's to show."""
    try:
        code: int | None = isolate.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except click.Abort:
        raise KeyboardInterrupt from None
    return code
