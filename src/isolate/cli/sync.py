"""What `isolate sync` comes to, however it was asked for: by way of click, or plainly, without it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NoReturn

from isolate.cli.dispatch import each
from isolate.cli.errors import run_and_exit
from isolate.operations.up_to_date import up_to_date_outcome
from isolate.output import write_stderr
from isolate.parallel.map import parallel_map_readonly
from isolate.request import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from isolate.application import Application
    from isolate.outcome import Outcome
    from isolate.session import Session


def sync_each(folders: tuple[Path, ...], asked: Mapping[str, Any], request: Request) -> int:
    """Sync the application or the applications that are meant, and return the worst exit code."""

    def work(application: Application, session: Session) -> Outcome:
        return _command()(application, request, session)

    if request.is_plain and not request.verify:
        return each(folders, asked, work, _quick)
    _command()
    return each(folders, asked, work)


def sync_without_click(*, quiet: bool, all_applications: bool) -> NoReturn:
    """Do what `isolate sync` asks for, with or without `--quiet` and `--all`, and exit."""
    run_and_exit(functools.partial(_sync, quiet=quiet, all_applications=all_applications))


def _sync(*, quiet: bool, all_applications: bool) -> int:
    asked = {"quiet": quiet, "everywhere": all_applications, "json_": False, "verbose": False}
    try:
        return sync_each((), asked, Request())
    except KeyboardInterrupt:
        write_stderr("")  # ends the line in which a terminal shows ^C, as click does
        raise


def _quick(applications: Sequence[Application]) -> list[Outcome | None]:
    answers = parallel_map_readonly(up_to_date_outcome, applications)
    if None in answers:
        _command()
    return answers


def _command() -> Callable[[Application, Request, Session], Outcome]:
    """Return what does the work. Before workers are forked it is asked for once, so that not each has to import it."""
    from isolate.commands.sync import sync

    return sync
