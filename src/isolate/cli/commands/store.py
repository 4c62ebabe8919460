"""The command lines of `isolate store`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from isolate.cli.dispatch import progress_in, session_with
from isolate.cli.options import OUTPUT_OPTIONS
from isolate.cli.output import print_outcome
from isolate.cli.parsing import Group

if TYPE_CHECKING:
    from collections.abc import Callable

    from isolate.cli.invocation import Options
    from isolate.outcome import Outcome
    from isolate.session import Session


@click.group(cls=Group)
def store() -> None:
    """Manage the shared store."""


@store.command()
@OUTPUT_OPTIONS
@click.pass_obj
def path(options: Options) -> int:
    """Show the directory of the store."""
    from isolate.commands.store import path as command

    return _run(command, options)


@store.command()
@OUTPUT_OPTIONS
@click.pass_obj
def size(options: Options) -> int:
    """Show the size of the store."""
    from isolate.commands.store import size as command

    return _run(command, options)


@store.command()
@OUTPUT_OPTIONS
@click.pass_obj
def verify(options: Options) -> int:
    """Verify every file and remove damaged entries."""
    from isolate.commands.store import verify as command

    return _run(command, options)


@store.command()
@OUTPUT_OPTIONS
@click.pass_obj
def gc(options: Options) -> int:
    """Remove entries that no environment uses."""
    from isolate.commands.store import gc as command

    return _run(command, options)


def _run(command: Callable[[Session], Outcome], options: Options) -> int:
    with progress_in(options) as progress, session_with(progress) as session:
        outcome = command(session)
    print_outcome(outcome, options)
    return outcome.exit_code
