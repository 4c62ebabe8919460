"""What `isolate sync` comes to, however it was asked for: by way of click, or plainly, without it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NoReturn

from isolate.cli.answer import each
from isolate.cli.ending import to_the_end
from isolate.commands.request import Request
from isolate.commands.sync import answered, sync
from isolate.streams import complain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def sync_each(folders: tuple[Path, ...], asked: Mapping[str, Any], request: Request) -> int:
    """Sync the application or the applications that are meant, and return the worst exit code."""
    quick = answered if request.is_plain and not request.verify else None
    return each(folders, asked, lambda application, session: sync(application, request, session), quick)


def sync_plainly(*, quiet: bool) -> NoReturn:
    """Do what `isolate sync` or `isolate sync -q` asks for, and exit."""
    to_the_end(functools.partial(_sync_here, quiet=quiet))


def _sync_here(*, quiet: bool) -> int:
    try:
        return sync_each((), {"quiet": quiet, "json_": False, "verbose": False}, Request())
    except KeyboardInterrupt:
        complain("")  # ends the line in which a terminal shows ^C, as click does
        raise
