"""The command line of `isolate status`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from isolate.cli.dispatch import Work, outcomes_of, run_for_each, selected_applications
from isolate.cli.options import ALL_OPTION, APPLICATIONS, OUTPUT_OPTIONS
from isolate.cli.output import finish, succeeded
from isolate.cli.parsing import Command
from isolate.output import write_stdout
from isolate.parallel.map import parallel_map_readonly

if TYPE_CHECKING:
    from pathlib import Path

    from isolate.cli.invocation import Options


@click.command(cls=Command, short_help="Show the status of applications.")
@APPLICATIONS
@ALL_OPTION
@OUTPUT_OPTIONS
@click.pass_obj
def status(options: Options, directories: tuple[Path, ...]) -> int:
    """Show Python, lock, packages, size and differences of each APP (default: current directory), without network."""
    from isolate.commands.status import status as command
    from isolate.commands.status import status_if_up_to_date, table

    work = Work(lambda: command, partial(parallel_map_readonly, status_if_up_to_date))
    if len(directories) <= 1 and not options.all_applications:
        return run_for_each(directories, options, work)
    applications = selected_applications(directories, options)
    outcomes = {name: outcome for name, outcome, _ in outcomes_of(applications, options, work)}
    rows = {name: outcome.facts for name, outcome in succeeded(applications, outcomes).items()}
    if rows and not options.is_silent:
        write_stdout("\n".join(table(rows)))
    return finish(applications, outcomes, options)
