"""The command line of `isolate lock`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from isolate.cli.dispatch import Work, run_for_each
from isolate.cli.options import ALL_OPTION, APPLICATIONS, OUTPUT_OPTIONS, PYTHON, UPGRADE_OPTIONS
from isolate.cli.parsing import Command
from isolate.cli.requests import lock_policy
from isolate.named import Named
from isolate.request import Request

if TYPE_CHECKING:
    from pathlib import Path

    from isolate.cli.invocation import Options


@click.command(cls=Command, short_help="Resolve versions and write pylock.toml.")
@APPLICATIONS
@ALL_OPTION
@click.option("--check", "only_check", is_flag=True, help="Exit 1 if the lock is outdated; write nothing.")
@PYTHON
@UPGRADE_OPTIONS
@click.option("--offline", is_flag=True, help="Do not access the network.")
@OUTPUT_OPTIONS
@click.pass_obj
def lock(options: Options, /, directories: tuple[Path, ...], *, only_check: bool, **choices: Any) -> int:
    """Resolve versions and write pylock.toml. Keep locked versions unless a declaration or an option changes them."""
    from isolate.commands.lock import lock as command

    policy = lock_policy(choices, has_many=options.all_applications or len(directories) > 1)
    request = Request.naming(Named(python=choices["python"]), lock_policy=policy, offline=choices["offline"])
    success = "up to date" if only_check else "updated"
    work = Work(lambda: partial(command, request=request, check=only_check), success=success)
    return run_for_each(directories, options, work)
