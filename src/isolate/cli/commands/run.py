"""The command line of `isolate run`."""

from __future__ import annotations

import contextlib
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from isolate.application import Application, without_parents
from isolate.cli.dispatch import Work, progress_in, run_for_each, session_with
from isolate.cli.options import JOBS, PYTHON, QUIET, VERBOSE, all_option
from isolate.cli.parsing import Command
from isolate.errors import UsageError
from isolate.named import Named
from isolate.output import printable, write_stderr
from isolate.request import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isolate.cli.invocation import Options
    from isolate.declarations.script_file import Script
    from isolate.outcome import Outcome


@click.command(
    cls=Command,
    short_help="Sync if needed, then run a command in the environment.",
    context_settings={"allow_interspersed_args": False},
)
@all_option("Run in all applications in and below the current directory, each in its own directory.")
@JOBS
@PYTHON
@click.option("--no-sync", is_flag=True, help="Run without syncing first.")
@QUIET
@VERBOSE
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
@click.pass_obj
def run(options: Options, command: tuple[str, ...], *, python: str | None, no_sync: bool) -> int:
    """Sync if needed, then run COMMAND in the environment, which comes first on PATH.

    A Python file with inline metadata (`# /// script`) gets an environment of its own, in the cache; --python is for
    such scripts.
    """
    script = None if options.all_applications else _script(command[0])
    if script is not None:
        _run_script(options, script, command, Request.naming(Named(python=python)), sync=not no_sync)
    if python is not None:
        raise UsageError("--python is for a script with inline metadata", hint="use `isolate sync --python` before")
    if not options.all_applications:
        _run_here(options, command, sync=not no_sync)
    from isolate.commands.run import run as run_in

    return run_for_each((), options, Work(lambda: partial(run_in, command=command, sync=not no_sync)))


def _run_here(options: Options, command: tuple[str, ...], *, sync: bool) -> NoReturn:
    """Sync the application in the current directory if needed, then replace this process by *command*."""
    from isolate.commands.run import by_python, environment_of, prepare

    application = Application.at(Path.cwd())
    with progress_in(options) as progress, session_with(progress) as session:
        outcome = prepare(application, session, sync=sync)
        _print(outcome, options)
        environment = environment_of(application, os.environ)
    _replace_process(by_python(command, environment["PATH"], Path.cwd()), environment)


def _script(name: str) -> Script | None:
    """Return the script with inline metadata that the file *name* is; None if it is none."""
    if not name.endswith(".py") or not os.path.isfile(name):
        return None
    from isolate.declarations.script_file import read_script

    return read_script(without_parents(Path(name).absolute()))


def _run_script(
    options: Options, script: Script, command: tuple[str, ...], request: Request, *, sync: bool
) -> NoReturn:
    """Sync the environment of *script* if needed, then replace this process by it."""
    from isolate.commands.run import environment_of, prepare_script
    from isolate.operations.script_environment import application_of, in_use

    with contextlib.ExitStack() as held:
        with progress_in(options) as progress, session_with(progress) as session:
            application = application_of(script, session.lazy_store.paths, request.python)
            handle = held.enter_context(in_use(application, request, session))
            _print(prepare_script(application, request, session, sync=sync), options)
            environment = environment_of(application, os.environ)
        # The environment is not deleted while the script runs.
        os.set_inheritable(handle, True)  # noqa: FBT003 - it takes no keywords
        _replace_process((str(application.venv / "bin/python"), *command), environment)


def _print(outcome: Outcome | None, options: Options) -> None:
    if outcome is not None and not options.quiet and not outcome.facts["up_to_date"]:
        write_stderr("\n".join(map(printable, outcome.lines)))


def _replace_process(command: Sequence[str], environment: dict[str, str]) -> NoReturn:
    from isolate import process

    sys.stdout.flush()
    sys.stderr.flush()
    process.exec_program(command, environment)
