"""The command line of `isolate check`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from isolate.cli.dispatch import Work, run_for_each
from isolate.cli.options import ALL_OPTION, APPLICATIONS, OUTPUT_OPTIONS
from isolate.cli.parsing import Command

if TYPE_CHECKING:
    from pathlib import Path

    from isolate.cli.invocation import Options


@click.command(cls=Command, short_help="Check that declarations, lock and environment agree.")
@APPLICATIONS
@ALL_OPTION
@click.option("--hash", "hashes", is_flag=True, help="Hash every file instead of comparing sizes and mtimes.")
@OUTPUT_OPTIONS
@click.pass_obj
def check(options: Options, directories: tuple[Path, ...], *, hashes: bool) -> int:
    """Check that declarations, lock and environment agree. If not, exit 1 and print a line for each difference."""
    from isolate.commands.check import check as command

    return run_for_each(directories, options, Work(lambda: partial(command, hashes=hashes), success="up to date"))
