"""`isolate sync`, with and without click."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from isolate.application import Application
from isolate.cli.dispatch import Work, run_for_each
from isolate.operations.up_to_date import up_to_date_outcome
from isolate.parallel.map import parallel_map_readonly
from isolate.request import Request

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from isolate.cli.dispatch import Command
    from isolate.cli.invocation import Options
    from isolate.outcome import Outcome


def sync_plain(options: Options) -> int:
    """Run `isolate sync`, with no other options than `--quiet` and `--all`, without importing click."""
    return run_for_each((), options, sync_work(Request()))


def sync_work(request: Request) -> Work:
    """Return the work that syncs applications as *request* asks for."""

    def load() -> Command:
        from isolate.commands.sync import sync

        return partial(sync, request=request)

    has_stamp = request.is_plain and not request.verify
    success = "to update" if request.dry_run else "updated"
    return Work(load, _up_to_date_outcomes if has_stamp else None, success, partial(_at, python=request.asked.python))


def _at(path: Path, python: str | None) -> Application:
    """Return the application in the directory *path*, or the one that the script *path* is."""
    if not path.name.endswith(".py"):
        return Application.at(path)
    import os

    from isolate.operations.script_environment import application_at
    from isolate.session import LazyStore

    return application_at(path, LazyStore(os.environ).paths, python)


def _up_to_date_outcomes(applications: Sequence[Application]) -> list[Outcome | None]:
    return parallel_map_readonly(up_to_date_outcome, applications)
