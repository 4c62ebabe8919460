"""The command line of `isolate list`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from isolate.application import Application
from isolate.cli.dispatch import progress_in, selected_applications, session_with
from isolate.cli.errors import error_outcome
from isolate.cli.options import ALL_OPTION, APPLICATIONS, OUTPUT_OPTIONS
from isolate.cli.output import finish, succeeded
from isolate.cli.parsing import Command
from isolate.output import printable, write_stdout

if TYPE_CHECKING:
    from isolate.cli.invocation import Options
    from isolate.outcome import Outcome
    from isolate.session import Session


@click.command(cls=Command, name="list", short_help="List applications.")
@APPLICATIONS
@ALL_OPTION
@click.option("--changed-since", metavar="REV", help="Only applications affected by changes since REV.")
@OUTPUT_OPTIONS
@click.pass_obj
def list_(options: Options, directories: tuple[Path, ...], *, changed_since: str | None) -> int:
    """List applications. With --json, also their paths, Pythons, and cache keys for CI."""
    from isolate.application_discovery import changed_since as changed_applications
    from isolate.commands.list_ import key_files

    applications = selected_applications(directories, options)
    if changed_since is not None:
        changed = set(changed_applications(applications.values(), changed_since, key_files))
        applications = {name: application for name, application in applications.items() if application in changed}
    with progress_in(options) as progress, session_with(progress) as session:
        outcomes = {name: _described(application, session) for name, application in applications.items()}
    if not options.is_silent:
        write_stdout("".join(f"{printable(name)}\n" for name in succeeded(applications, outcomes)), end="")
    return finish(applications, outcomes, options)


def _described(application: Application, session: Session) -> Outcome:
    from isolate.commands.list_ import describe

    try:
        return describe(Application.at(application.root), session)
    except Exception as error:  # noqa: BLE001 - a failure of one application must not hide the others
        return error_outcome(error)
