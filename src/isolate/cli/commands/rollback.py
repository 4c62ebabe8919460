"""The command line of `isolate rollback`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from isolate.cli.dispatch import Work, run_for_each
from isolate.cli.options import OUTPUT_OPTIONS
from isolate.cli.parsing import Command

if TYPE_CHECKING:
    from isolate.cli.invocation import Options


@click.command(cls=Command, short_help="Restore the environment to an earlier sync.")
@click.argument("number", type=int, required=False, metavar="[N]")
@click.option("--lock", "with_lock", is_flag=True, help="Also restore pylock.toml.")
@OUTPUT_OPTIONS
@click.pass_obj
def rollback(options: Options, number: int | None, *, with_lock: bool) -> int:
    """Restore the environment to its state after sync N (default: the one before the last), from the store."""
    from isolate.commands.rollback import rollback as command

    return run_for_each((), options, Work(lambda: partial(command, number=number, lock=with_lock)))
