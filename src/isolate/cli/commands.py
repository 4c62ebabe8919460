"""What a user can say about an application, or about several."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from isolate.application import Application
from isolate.cli.dispatch import answer, each, progress_in, session_with
from isolate.cli.group import (
    ALL_OPTION,
    APPLICATIONS,
    JOBS,
    OUTPUT_OPTIONS,
    PYTHON,
    QUIET,
    UPGRADE_OPTIONS,
    VERBOSE,
    isolate,
)
from isolate.declarations.settings import LINK_MODES
from isolate.output import write_stderr
from isolate.request import LockPolicy, Request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from isolate.outcome import Outcome


@isolate.command(short_help="Bring environments into step with declarations.")
@APPLICATIONS
@ALL_OPTION
@click.option("--group", "groups", multiple=True, metavar="NAME", help="Take in this dependency group.")
@click.option("--extra", "extras", multiple=True, metavar="NAME", help="Take in this extra.")
@click.option("--all-groups", is_flag=True, help="Take in every dependency group.")
@click.option("--no-dev", is_flag=True, help="Leave the group `dev` out.")
@click.option("--no-install-project", is_flag=True, help="Leave the application itself out.")
@PYTHON
@click.option("--locked", is_flag=True, help="Fail if the lock is stale, or missing where one is needed.")
@click.option("--frozen", is_flag=True, help="Take the lock as it is, unexamined.")
@UPGRADE_OPTIONS
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--inexact", is_flag=True, help="Let stay what nobody declared.")
@click.option("--compile", "bytecode", is_flag=True, help="Compile bytecode, once for all environments.")
@click.option("--link-mode", type=click.Choice(LINK_MODES), help="How files leave the store.")
@click.option("--adopt", is_flag=True, help="Take over an environment that isolate did not make.")
@click.option("--offline", is_flag=True, help="Use what the store has, and no network.")
@click.option("--verify", is_flag=True, help="Look at every file, as `check` does, and put right what differs.")
@OUTPUT_OPTIONS
def sync(applications: tuple[Path, ...], **asked: Any) -> int:
    """Make the environment of each APP (default: the current directory) what its declarations ask for."""
    from isolate.cli.sync import sync_each

    request = Request(
        extras=_names(asked["extras"]),
        groups=_names(asked["groups"]),
        all_groups=asked["all_groups"],
        no_dev=asked["no_dev"],
        project=not asked["no_install_project"],
        python=asked["python"],
        lock_policy=_lock_policy(asked, applications),
        dry_run=asked["dry_run"],
        inexact=asked["inexact"],
        bytecode=asked["bytecode"],
        link_mode=asked["link_mode"],
        adopt=asked["adopt"],
        offline=asked["offline"],
        verify=asked["verify"],
    )
    return sync_each(applications, asked, request)


@isolate.command(short_help="Decide versions, into pylock.toml.")
@APPLICATIONS
@ALL_OPTION
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit with 1 if `sync --locked` would fail.")
@PYTHON
@UPGRADE_OPTIONS
@click.option("--offline", is_flag=True, help="Use no network.")
@OUTPUT_OPTIONS
def lock(applications: tuple[Path, ...], *, only_check: bool, **asked: Any) -> int:
    """Write pylock.toml, keeping what is locked unless a declaration or an option moves it."""
    from isolate.commands.lock import lock as command

    request = Request(python=asked["python"], lock_policy=_lock_policy(asked, applications), offline=asked["offline"])
    return each(
        applications, asked, lambda application, session: command(application, request, session, check=only_check)
    )


@isolate.command(short_help="Say whether all is in step.")
@APPLICATIONS
@ALL_OPTION
@click.option("--hash", "hashes", is_flag=True, help="Read every file, not only sizes and times.")
@OUTPUT_OPTIONS
def check(applications: tuple[Path, ...], *, hashes: bool, **asked: Any) -> int:
    """Exit with 0 if declarations, lock and environment agree; else with 1 and a line for each difference."""
    from isolate.commands.check import check as command

    return each(applications, asked, lambda application, session: command(application, session, hashes=hashes))


@isolate.command(
    short_help="Run a command in the environment, kept in step.", context_settings={"allow_interspersed_args": False}
)
@click.option("--all", "everywhere", is_flag=True, help="In every application here and below, each in its directory.")
@JOBS
@click.option("--no-sync", is_flag=True, help="Take the environment as it is.")
@QUIET
@VERBOSE
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
def run(command: tuple[str, ...], *, no_sync: bool, **asked: Any) -> int:
    """Bring the environment into step, then become COMMAND, with the environment first on PATH."""
    from isolate.commands import run as running

    if not asked["everywhere"]:
        _become(command, sync=not no_sync, quiet=asked["quiet"], verbose=asked["verbose"])
    plain = {**asked, "json_": False}
    return each((), plain, lambda application, session: running.run(application, command, session, sync=not no_sync))


def _become(command: tuple[str, ...], *, sync: bool, quiet: bool, verbose: int) -> NoReturn:
    from isolate import process
    from isolate.commands import run as running

    application = Application.at(Path.cwd())
    asked = {"quiet": quiet, "json_": False, "verbose": verbose}
    with progress_in(asked) as progress, session_with(progress) as session:
        outcome = running.prepare(application, session, sync=sync)
        if outcome is not None and not quiet and not outcome.facts["up_to_date"]:
            write_stderr("\n".join(outcome.lines))
        environment = running.environment_of(application, os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    process.exec_program(command, environment)


@isolate.command(short_help="Show what each sync changed, and when.")
@APPLICATIONS
@ALL_OPTION
@OUTPUT_OPTIONS
def history(applications: tuple[Path, ...], **asked: Any) -> int:
    """Show what each sync changed, and when."""
    from isolate.commands.history import history as command

    return each(applications, asked, command)


@isolate.command(short_help="Go back to the environment before a sync.")
@click.argument("number", type=int, required=False, metavar="[N]")
@click.option("--lock", "with_lock", is_flag=True, help="Write pylock.toml as it was then, too.")
@OUTPUT_OPTIONS
def rollback(number: int | None, *, with_lock: bool, **asked: Any) -> int:
    """Go back to what the environment was after sync N (default: the one before), from the store."""
    from isolate.commands.rollback import rollback as command

    return each((), asked, lambda application, session: command(application, number, session, lock=with_lock))


@isolate.group(short_help="Look at the shared store, and clear it.")
def store() -> None:
    """Look at the store that all applications share, and clear it."""


def _of_store(name: str) -> None:
    @store.command(name=name, help=STORE_COMMANDS[name])
    @OUTPUT_OPTIONS
    def command(**asked: Any) -> int:
        from isolate.commands import store as room

        with progress_in(asked) as progress, session_with(progress) as session:
            outcome: Outcome = getattr(room, name)(session)
        answer(outcome, asked)
        return outcome.exit_code


STORE_COMMANDS = {
    "path": "Show where the store is.",
    "size": "Show how large the store is.",
    "verify": "Read every file; throw out what is not as it was.",
    "gc": "Delete what no environment uses.",
}
for _name in STORE_COMMANDS:
    _of_store(_name)


def _lock_policy(asked: dict[str, Any], applications: tuple[Path, ...]) -> LockPolicy:
    several = asked["everywhere"] or len(applications) > 1  # of which not every one has the same packages
    if asked.get("locked") and asked.get("frozen"):
        raise click.UsageError("--locked and --frozen exclude each other")
    upgrades = asked["upgrade"] or asked["upgrade_packages"]
    if upgrades and (asked.get("locked") or asked.get("frozen")):
        raise click.UsageError("--upgrade moves the lock, which --locked and --frozen forbid")
    return LockPolicy(
        upgrade=asked["upgrade"],
        upgrade_packages=tuple(map(_package, asked["upgrade_packages"])),
        require_known=not (asked["upgrade_packages"] and several),
        may_change=not asked.get("locked"),
        validate=not asked.get("frozen"),
    )


def _package(text: str) -> str:
    from packaging.utils import InvalidName, canonicalize_name

    try:
        return canonicalize_name(text, validate=True)
    except InvalidName:
        raise click.UsageError(
            f"--upgrade-package {text}: expected the name of a package; a version goes into the declarations"
        ) from None


def _names(given: Iterable[str]) -> tuple[str, ...]:
    from packaging.utils import canonicalize_name

    return tuple(canonicalize_name(name) for name in given)
