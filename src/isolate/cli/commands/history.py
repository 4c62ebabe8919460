"""The command line of `isolate history`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from isolate.cli.dispatch import Work, run_for_each
from isolate.cli.options import ALL_OPTION, APPLICATIONS, OUTPUT_OPTIONS
from isolate.cli.parsing import Command

if TYPE_CHECKING:
    from pathlib import Path

    from isolate.cli.invocation import Options


@click.command(cls=Command)
@APPLICATIONS
@ALL_OPTION
@OUTPUT_OPTIONS
@click.pass_obj
def history(options: Options, directories: tuple[Path, ...]) -> int:
    """Show what each sync changed, and when."""
    from isolate.commands.history import history as command

    return run_for_each(directories, options, Work(lambda: command))
