"""The command line of `isolate sync`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from isolate.cli.dispatch import run_for_each
from isolate.cli.options import ALL_OPTION, APPLICATIONS_AND_SCRIPTS, OUTPUT_OPTIONS, PYTHON, UPGRADE_OPTIONS
from isolate.cli.parsing import Command
from isolate.cli.requests import lock_policy, named_files, normalized
from isolate.cli.sync import sync_work
from isolate.declarations.settings import LINK_MODES
from isolate.named import Named
from isolate.request import Request

if TYPE_CHECKING:
    from pathlib import Path

    from isolate.cli.invocation import Options


@click.command(cls=Command, short_help="Create or update environments.")
@APPLICATIONS_AND_SCRIPTS
@ALL_OPTION
@click.option("--group", "groups", multiple=True, metavar="NAME", help="Also install this dependency group.")
@click.option("--extra", "extras", multiple=True, metavar="NAME", help="Also install this extra.")
@click.option("--all-groups", is_flag=True, help="Also install all dependency groups.")
@click.option("--no-dev", is_flag=True, help="Do not install the `dev` group.")
@click.option("--no-install-project", is_flag=True, help="Do not install the application itself.")
@click.option(
    "--no-editable",
    is_flag=True,
    help="Install the application and local projects as copies, so that .venv needs nothing beside it.",
)
@PYTHON
@click.option(
    "-r",
    "--requirement",
    "requirements",
    multiple=True,
    metavar="FILE",
    help="Install what this requirements file says, instead of what the application declares (repeatable).",
)
@click.option(
    "-c",
    "--constraint",
    "constraints",
    multiple=True,
    metavar="FILE",
    help="Limit versions by this constraints file, too (repeatable).",
)
@click.option("--save", is_flag=True, help="Write what -r, -c and --python name into [tool.isolate] of pyproject.toml.")
@click.option(
    "--forget", is_flag=True, help="Forget what an earlier sync was told by -r, -c, --python and --no-install-project."
)
@click.option("--locked", is_flag=True, help="Fail instead of updating a missing or outdated lock.")
@click.option("--frozen", is_flag=True, help="Use the lock without checking that it is up to date.")
@UPGRADE_OPTIONS
@click.option("--dry-run", is_flag=True, help="Show what would change; change nothing.")
@click.option("--inexact", is_flag=True, help="Keep installed packages that are not declared.")
@click.option("--compile", "bytecode", is_flag=True, help="Compile bytecode, once for all environments.")
@click.option(
    "--link-mode", type=click.Choice(LINK_MODES), help="How files are installed from the store (default: auto)."
)
@click.option(
    "--adopt",
    is_flag=True,
    help="Take over an existing .venv that isolate did not create; undeclared packages are removed.",
)
@click.option("--offline", is_flag=True, help="Do not access the network; fail if a package is not in the store.")
@click.option("--verify", is_flag=True, help="Hash every installed file and repair any that differ.")
@OUTPUT_OPTIONS
@click.pass_obj
def sync(options: Options, /, directories: tuple[Path, ...], *, no_install_project: bool, **choices: Any) -> int:
    """Create or update the .venv of each APP (default: current directory) to match its declared requirements.

    For a SCRIPT with inline metadata (`# /// script`), the environment is in the cache.
    """
    has_many = options.all_applications or len(directories) > 1
    requirements, constraints = named_files(choices, has_many=has_many)
    named = Named(requirements, constraints, python=choices["python"], project=not no_install_project)
    request = Request.naming(
        named,
        extras=normalized(choices["extras"]),
        groups=normalized(choices["groups"]),
        all_groups=choices["all_groups"],
        no_dev=choices["no_dev"],
        editable=not choices["no_editable"],
        lock_policy=lock_policy(choices, has_many=has_many),
        dry_run=choices["dry_run"],
        inexact=choices["inexact"],
        bytecode=choices["bytecode"],
        link_mode=choices["link_mode"],
        adopt=choices["adopt"],
        offline=choices["offline"],
        verify=choices["verify"],
        forget=choices["forget"],
        save=choices["save"],
    )
    return run_for_each(directories, options, sync_work(request))
