"""The command line of `isolate conflicts`."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import click

from isolate.application import Application
from isolate.cli.dispatch import Work, outcomes_of, selected_applications
from isolate.cli.options import DIRECTORY, JOBS, OUTPUT_OPTIONS
from isolate.cli.output import print_failures, succeeded, worst_exit_code
from isolate.cli.parsing import Command
from isolate.errors import SystemFailure
from isolate.outcome import Outcome, as_json
from isolate.output import printable, write_stdout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.cli.invocation import Options
    from isolate.conflicts.pins import Conflicts

MAX_LINES = 50
"""Maximum number of entries of a list in the text output."""

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(cls=Command, short_help="Show conflicting pins across applications.")
@click.argument("root", required=False, type=DIRECTORY)
@JOBS
@click.option("--fail", is_flag=True, help="Exit 1 if there are conflicts.")
@click.option("--html", type=FILE, metavar="FILE", help="Write an HTML report to FILE.")
@OUTPUT_OPTIONS
@click.pass_obj
def conflicts(options: Options, root: Path | None, *, fail: bool, html: Path | None) -> int:
    """Show packages that applications in and below ROOT pin to different versions, and where each pin comes from."""
    from isolate.commands.conflicts import pins

    options.all_applications = True
    applications = selected_applications((root,) if root else (), options)
    outcomes = {name: outcome for name, outcome, _ in outcomes_of(applications, options, Work(lambda: pins))}
    readable = succeeded(applications, outcomes)
    failures = {name: outcome for name, outcome in outcomes.items() if name not in readable}
    report = _conflicts_among(readable)
    if html is not None:
        _write_page(html, report, title=f"Pins of {Application.at(root or Path()).name}")
    exit_code = max(worst_exit_code(failures.values()), int(fail and bool(report.conflicts)))
    print_failures(failures)
    if options.json:
        write_stdout(as_json(_outcome(report, failures, exit_code)))
    elif not options.quiet:
        write_stdout("\n".join(map(printable, _text(report, readable, failures, html))))
    return exit_code


def _conflicts_among(outcomes: Mapping[str, Outcome]) -> Conflicts:
    """Return the conflicts among the pins in *outcomes*, by application."""
    from isolate.conflicts.pins import find_conflicts

    all_pins = [
        pin._replace(application=name)
        for name, outcome in outcomes.items()
        for pin in outcome.facts["pins"]  # type: ignore[attr-defined]
    ]
    return find_conflicts(all_pins, {name: str(outcome.facts["python"]) for name, outcome in outcomes.items()})


def _outcome(report: Conflicts, failures: Mapping[str, Outcome], exit_code: int) -> Outcome:
    from isolate.conflicts.text import facts

    errors = {name: outcome.facts["error"] for name, outcome in failures.items()}
    return Outcome(command="conflicts", exit_code=exit_code, facts={**facts(report), "errors": errors})


def _text(
    report: Conflicts, readable: Mapping[str, Outcome], failures: Mapping[str, Outcome], html: Path | None
) -> list[str]:
    from isolate.conflicts.text import lines

    skipped = [f"skipped (errors): {', '.join(failures)}"] if failures else []
    written = [f"wrote {html}"] if html is not None else []
    return [*(lines(report, limit=MAX_LINES) if readable else ()), *skipped, *written]


def _write_page(file: Path, report: Conflicts, title: str) -> None:
    """Write the HTML report to *file*. Raises `SystemFailure` if it cannot be written."""
    from isolate import fs
    from isolate.conflicts.page import render_page

    text = render_page(report, title=title).encode()
    target = Path(os.path.realpath(file))
    try:
        if file.exists() and not file.is_file():  # a pipe or a device is written to, not replaced
            file.write_bytes(text)
            return
        os.stat(f"{target.parent}/.")  # a missing directory is an error; `fs.write` would create it
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o644
        fs.write(target, text, staging=target.parent, mode=mode)
    except OSError as error:
        raise SystemFailure(
            f"{file} cannot be written: {error.strerror}", hint="use a file in an existing, writable directory"
        ) from None
