"""What a user can say about all applications of a repository."""

from __future__ import annotations

import os
import stat
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from isolate.application import Application
from isolate.cli.dispatch import applications_of, each, outcomes_of, print_json, progress_in, session_with
from isolate.cli.errors import error_outcome
from isolate.cli.group import ALL_OPTION, APPLICATIONS, FOLDER, JOBS, OUTPUT_OPTIONS, isolate
from isolate.errors import IsolateError
from isolate.outcome import Outcome, as_json
from isolate.output import say, write_stderr
from isolate.parallel.map import parallel_map_readonly

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.cli.dispatch import Command
    from isolate.conflicts.pins import Conflicts
    from isolate.session import Session

FILE = click.Path(dir_okay=False, path_type=Path)


@isolate.command(short_help="Show how applications stand.")
@APPLICATIONS
@ALL_OPTION
@OUTPUT_OPTIONS
def status(applications: tuple[Path, ...], **asked: Any) -> int:
    """Show how applications stand: Python, pins, packages, size, and what differs. Needs no network."""
    from isolate.commands.status import status as command
    from isolate.commands.status import status_if_up_to_date, table

    if len(applications) <= 1 and not asked["everywhere"]:
        return each(applications, asked, command)
    chosen = applications_of(applications, all_applications=asked["everywhere"])
    quick = partial(parallel_map_readonly, status_if_up_to_date)
    found = {name: outcome for name, outcome, _ in outcomes_of(chosen, asked, command, quick)}
    well = _succeeded(chosen, found)
    if not asked["json_"] and not asked["quiet"] and well:
        say("\n".join(table({name: outcome.facts for name, outcome in well.items()})))
    return _finish(chosen, found, asked)


@isolate.command(name="list", short_help="Name applications, for a CI matrix too.")
@APPLICATIONS
@ALL_OPTION
@click.option(
    "--changed-since",
    metavar="REV",
    help="Only those of which a file, or one that they read, has changed since a git revision.",
)
@OUTPUT_OPTIONS
def list_(applications: tuple[Path, ...], *, changed_since: str | None, **asked: Any) -> int:
    """Name applications; with --json their paths, Pythons, and keys that change when their requirements do."""
    from isolate.application_discovery import changed_since as those_changed
    from isolate.commands.list_ import describe, key_files

    chosen = applications_of(applications, all_applications=asked["everywhere"])
    if changed_since is not None:
        kept = set(those_changed(chosen.values(), changed_since, key_files))
        chosen = {name: one for name, one in chosen.items() if one in kept}
    with progress_in(asked) as progress, session_with(progress) as session:
        found = {name: _described(describe, one, session) for name, one in chosen.items()}
    if not asked["json_"] and not asked["quiet"]:
        say("".join(f"{name}\n" for name in _succeeded(chosen, found)), end="")
    return _finish(chosen, found, asked)


def _described(describe: Command, application: Application, session: Session) -> Outcome:
    try:
        return describe(Application.at(application.root), session)
    except Exception as error:  # noqa: BLE001 - the others can be described, whatever is wrong with this one
        return error_outcome(error)


@isolate.command(short_help="Show which pins could not live together.")
@click.argument("root", required=False, type=FOLDER)
@JOBS
@click.option("--fail", is_flag=True, help="Exit with 1 if anything collides.")
@click.option("--html", type=FILE, metavar="FILE", help="Write a page to look at.")
@OUTPUT_OPTIONS
def conflicts(root: Path | None, *, fail: bool, html: Path | None, **asked: Any) -> int:
    """Show which packages are pinned to versions that could not live in one environment, by whom, and through what."""
    from isolate.commands.conflicts import pins
    from isolate.conflicts.pins import find_conflicts
    from isolate.conflicts.text import facts, lines

    chosen = applications_of((root,) if root else (), all_applications=True)
    found = {name: outcome for name, outcome, _ in outcomes_of(chosen, asked, pins)}
    well = _succeeded(chosen, found)
    every = [pin._replace(application=name) for name, one in well.items() for pin in one.facts["pins"]]  # type: ignore[attr-defined]
    seen = find_conflicts(every, {name: str(one.facts["python"]) for name, one in well.items()})
    if html is not None:
        _write_page(html, seen, title=f"Pins of {Application.at(root or Path()).name}")
    failures = {name: outcome for name, outcome in found.items() if name not in well}
    worst = max([outcome.exit_code for outcome in failures.values()] + [int(fail and bool(seen.conflicts))])
    _complain(failures)
    if asked["json_"]:
        errors = {name: outcome.facts["error"] for name, outcome in failures.items()}
        say(as_json(Outcome(command="conflicts", exit_code=worst, facts={**facts(seen), "errors": errors})))
    elif not asked["quiet"]:
        left_out = [f"left out: {', '.join(failures)}"] if failures else []
        written = [f"wrote {html}"] if html is not None else []
        said = lines(seen, limit=MOST) if well else ()
        say("\n".join([*said, *left_out, *written]))
    return worst


def _write_page(file: Path, seen: Conflicts, title: str) -> None:
    from isolate import fs
    from isolate.conflicts.page import render_page

    text = render_page(seen, title=title).encode()
    target = Path(os.path.realpath(file))
    try:
        if file.exists() and not file.is_file():  # a pipe or a device is written to, not replaced
            file.write_bytes(text)
            return
        os.stat(f"{target.parent}/.")  # where there is no directory, none is made
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o644
        fs.write(target, text, staging=target.parent, mode=mode)
    except OSError as error:
        raise IsolateError(
            f"{file} cannot be written: {error.strerror}", hint="name a file in a directory that is there"
        ) from None


MOST = 50
"""How many entries of a list are shown to people."""


def _succeeded(chosen: Mapping[str, Application], found: Mapping[str, Outcome]) -> dict[str, Outcome]:
    """Return the outcomes that are none of a failure, in the order of the applications."""
    return {name: found[name] for name in chosen if "error" not in found[name].facts}


def _complain(outcomes: Mapping[str, Outcome]) -> None:
    for name, outcome in outcomes.items():
        for line in outcome.lines if "error" in outcome.facts else ():
            write_stderr(f"{name}: {line}")


def _finish(chosen: Mapping[str, Application], found: Mapping[str, Outcome], asked: Mapping[str, Any]) -> int:
    """Say what could not be done, or everything as JSON, and return the worst code."""
    worst = max((outcome.exit_code for outcome in found.values()), default=0)
    if asked["json_"]:
        print_json(chosen, found, worst)
    else:
        _complain(found)
    return worst
