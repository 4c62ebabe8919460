"""The command line of `isolate run`."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from isolate.application import Application
from isolate.cli.dispatch import Work, progress_in, run_for_each, session_with
from isolate.cli.options import JOBS, QUIET, VERBOSE, all_option
from isolate.cli.parsing import Command
from isolate.output import printable, write_stderr

if TYPE_CHECKING:
    from isolate.cli.invocation import Options


@click.command(
    cls=Command,
    short_help="Sync if needed, then run a command in the environment.",
    context_settings={"allow_interspersed_args": False},
)
@all_option("Run in all applications in and below the current directory, each in its own directory.")
@JOBS
@click.option("--no-sync", is_flag=True, help="Run without syncing first.")
@QUIET
@VERBOSE
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
@click.pass_obj
def run(options: Options, command: tuple[str, ...], *, no_sync: bool) -> int:
    """Sync if needed, then run COMMAND in the environment, which comes first on PATH."""
    if not options.all_applications:
        _run_here(options, command, sync=not no_sync)
    from isolate.commands.run import run as run_in

    return run_for_each((), options, Work(lambda: partial(run_in, command=command, sync=not no_sync)))


def _run_here(options: Options, command: tuple[str, ...], *, sync: bool) -> NoReturn:
    """Sync the application in the current directory if needed, then replace this process by *command*."""
    from isolate import process
    from isolate.commands.run import environment_of, prepare

    application = Application.at(Path.cwd())
    with progress_in(options) as progress, session_with(progress) as session:
        outcome = prepare(application, session, sync=sync)
        if outcome is not None and not options.quiet and not outcome.facts["up_to_date"]:
            write_stderr("\n".join(map(printable, outcome.lines)))
        environment = environment_of(application, os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    process.exec_program(command, environment)
