"""The door: what a user can say, and the only place that prints or exits.

Exit codes: 0 done, 1 the answer is no, 2 cannot be done as asked, 3 a bug of ours (with a log file), 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from isolate import __version__
from isolate.application import Application
from isolate.commands.request import Moves, Request
from isolate.commands.session import Session
from isolate.environment.placing import LINK_MODES
from isolate.errors import IsolateError, in_words
from isolate.report import Outcome, Silent, as_json
from isolate.terminal import progress_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Command = TypeVar("Command", bound=Callable[..., Any])

FOLDER = click.Path(file_okay=False, path_type=Path)


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        sys.exit(isolate.main(standalone_mode=False))
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.Abort:
        _leave("interrupted", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except KeyboardInterrupt:
        _leave("interrupted", 130)
    except IsolateError as error:
        _leave(f"isolate: {error}", error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        _leave(f"isolate: {in_words(error)}", 2)
    except Exception as error:  # noqa: BLE001 - a bug of ours: the one place that catches it
        from isolate.bugs import write_report  # noqa: PLC0415

        _leave(f"isolate: this is a bug ({type(error).__name__}: {error}); it is described in {write_report(error)}", 3)


def _leave(message: str, code: int) -> None:
    click.echo(message, err=True)
    sys.exit(code)


def options(*chosen: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return several click options as one decorator."""

    def decorate(command: Command) -> Command:
        for one in reversed(chosen):
            command = one(command)
        return command

    return decorate


LOUDNESS = options(
    click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors."),
    click.option("-v", "--verbose", is_flag=True, help="Say what is being done, pip's own words too."),
    click.option("--json", "json_", is_flag=True, help="Answer with one JSON document."),
)
MOVES = options(
    click.option("--upgrade", is_flag=True, help="Let every version move."),
    click.option("--upgrade-package", "upgrade_packages", multiple=True, metavar="NAME", help="Let this version move."),
)
PYTHON = click.option("--python", metavar="WHICH", help="A version (3.12), a range (>=3.11) or a path.")
APPLICATIONS = click.argument("applications", nargs=-1, type=FOLDER, metavar="[APP]...")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="isolate")
def isolate() -> None:
    """Keep the requirements of each application apart, in an environment of its own."""


@isolate.command()
@APPLICATIONS
@click.option("--group", "groups", multiple=True, metavar="NAME", help="Take in this dependency group.")
@click.option("--extra", "extras", multiple=True, metavar="NAME", help="Take in this extra.")
@click.option("--all-groups", is_flag=True, help="Take in every dependency group.")
@click.option("--no-dev", is_flag=True, help="Leave the group `dev` out.")
@click.option("--no-install-project", is_flag=True, help="Leave the application itself out.")
@PYTHON
@click.option("--locked", is_flag=True, help="Fail if the lock is missing or stale.")
@click.option("--frozen", is_flag=True, help="Take the lock as it is, unexamined.")
@MOVES
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--inexact", is_flag=True, help="Let stay what nobody declared.")
@click.option("--compile", "bytecode", is_flag=True, help="Compile bytecode, once for all environments.")
@click.option("--link-mode", type=click.Choice(LINK_MODES), help="How files leave the store.")
@click.option("--adopt", is_flag=True, help="Take over an environment that isolate did not make.")
@click.option("--offline", is_flag=True, help="Use what the store has, and no network.")
@click.option("--verify", is_flag=True, help="Look at every file, even if nothing seems to have changed.")
@LOUDNESS
def sync(applications: tuple[Path, ...], **asked: Any) -> None:
    """Make the environment of each APP (default: the current directory) what its declarations ask for."""
    from isolate.commands.sync import sync as command  # noqa: PLC0415

    request = Request(
        extras=_names(asked["extras"]),
        groups=_names(asked["groups"]),
        all_groups=asked["all_groups"],
        no_dev=asked["no_dev"],
        project=not asked["no_install_project"],
        python=asked["python"],
        moves=_moves(asked),
        dry_run=asked["dry_run"],
        inexact=asked["inexact"],
        bytecode=asked["bytecode"],
        link_mode=asked["link_mode"],
        adopt=asked["adopt"],
        offline=asked["offline"],
        verify=asked["verify"],
    )
    _each(applications, asked, lambda application, session: command(application, request, session))


@isolate.command()
@APPLICATIONS
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit with 1 if the lock is missing or stale.")
@PYTHON
@MOVES
@click.option("--offline", is_flag=True, help="Use no network.")
@LOUDNESS
def lock(applications: tuple[Path, ...], *, only_check: bool, **asked: Any) -> None:
    """Write pylock.toml, keeping what is locked unless a declaration or an option moves it."""
    from isolate.commands.lock import lock as command  # noqa: PLC0415

    request = Request(python=asked["python"], moves=_moves(asked), offline=asked["offline"])
    _each(applications, asked, lambda application, session: command(application, request, session, check=only_check))


@isolate.command()
@APPLICATIONS
@click.option("--hash", "hashes", is_flag=True, help="Read every file, not only sizes and times.")
@LOUDNESS
def check(applications: tuple[Path, ...], *, hashes: bool, **asked: Any) -> None:
    """Exit with 0 if declarations, lock and environment agree; else with 1 and a line for each difference."""
    from isolate.commands.check import check as command  # noqa: PLC0415

    _each(applications, asked, lambda application, session: command(application, session, hashes=hashes))


@isolate.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--no-sync", is_flag=True, help="Take the environment as it is.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
def run(command: tuple[str, ...], *, no_sync: bool, quiet: bool) -> None:
    """Bring the environment into step, then become COMMAND, with the environment first on PATH."""
    from isolate import process  # noqa: PLC0415
    from isolate.commands import run as running  # noqa: PLC0415
    from isolate.commands.recovery import recover  # noqa: PLC0415

    application = Application.at(Path.cwd())
    with progress_for(quiet=quiet, verbose=False) as progress:
        session = Session(environ=os.environ, progress=progress)
        if no_sync:
            recover(application, session)
        elif (outcome := running.prepare(application, session)) is not None and not quiet:
            click.echo("" if outcome.facts["up_to_date"] else "\n".join([*outcome.lines, ""]), err=True, nl=False)
        environment = running.environment_of(application, os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    process.become(command, environment)


@isolate.command()
@APPLICATIONS
@LOUDNESS
def history(applications: tuple[Path, ...], **asked: Any) -> None:
    """Show what each sync changed, and when."""
    from isolate.commands.history import history as command  # noqa: PLC0415

    _each(applications, asked, command)


@isolate.command()
@click.argument("number", type=int, required=False, metavar="[N]")
@click.option("--lock", "with_lock", is_flag=True, help="Write pylock.toml as it was then, too.")
@LOUDNESS
def rollback(number: int | None, *, with_lock: bool, **asked: Any) -> None:
    """Go back to what the environment was after sync N (default: the one before), from the store."""
    from isolate.commands.history import rollback as command  # noqa: PLC0415

    _each((), asked, lambda application, session: command(application, number, session, lock=with_lock))


@isolate.group()
def store() -> None:
    """Look at the store that all applications share, and clear it."""


def _of_store(name: str) -> None:
    @store.command(name=name, help=STORE_COMMANDS[name])
    @LOUDNESS
    def command(**asked: Any) -> None:
        from isolate.commands import store as room  # noqa: PLC0415

        with progress_for(quiet=asked["quiet"] or asked["json_"], verbose=asked["verbose"]) as progress:
            outcome = getattr(room, name)(Session(environ=os.environ, progress=progress))
        _print(outcome, asked, heading=None)
        raise click.exceptions.Exit(outcome.exit_code)


STORE_COMMANDS = {
    "path": "Show where the store is.",
    "size": "Show how large the store is.",
    "verify": "Read every file; throw out what is not as it was.",
    "gc": "Delete what no environment uses.",
}
for _name in STORE_COMMANDS:
    _of_store(_name)


def _moves(asked: dict[str, Any]) -> Moves:
    if asked.get("locked") and asked.get("frozen"):
        raise click.UsageError("--locked and --frozen exclude each other")
    upgrades = asked["upgrade"] or asked["upgrade_packages"]
    if upgrades and (asked.get("locked") or asked.get("frozen")):
        raise click.UsageError("--upgrade moves the lock, which --locked and --frozen forbid")
    return Moves(
        upgrade=asked["upgrade"],
        packages=_names(asked["upgrade_packages"]),
        allowed=not asked.get("locked"),
        examined=not asked.get("frozen"),
    )


def _names(given: Iterable[str]) -> tuple[str, ...]:
    from packaging.utils import canonicalize_name  # noqa: PLC0415

    return tuple(canonicalize_name(name) for name in given)


def _each(folders: tuple[Path, ...], asked: dict[str, Any], command: Callable[[Application, Session], Outcome]) -> None:
    """Do *command* for each application in turn, print what came of it, and exit with the worst code."""
    worst = 0
    with progress_for(quiet=asked["quiet"] or asked["json_"], verbose=asked["verbose"]) as progress:
        session = Session(environ=os.environ, progress=progress or Silent())
        for folder in folders or (Path(),):
            outcome = command(Application.at(folder), session)
            worst = max(worst, outcome.exit_code)
            _print(outcome, asked, heading=folder if len(folders) > 1 else None)
    raise click.exceptions.Exit(worst)


def _print(outcome: Outcome, asked: dict[str, Any], *, heading: Path | None) -> None:
    if asked["json_"]:
        click.echo(as_json(outcome))
    elif not asked["quiet"]:
        if heading is not None:
            click.echo(f"{heading}:")
        click.echo("\n".join(outcome.lines))
