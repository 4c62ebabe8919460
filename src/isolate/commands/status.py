"""`isolate status`: show the status of an application, from what is on disk alone."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from isolate.commands.check import check
from isolate.environment.installed import metadata_files
from isolate.environment.records import STAMP, STATE, read_state
from isolate.environment.stamp.read import up_to_date_message
from isolate.environment.stamp.variables import variable_line
from isolate.findings import Finding
from isolate.formatting import count, in_units
from isolate.named import TITLE
from isolate.outcome import Outcome
from isolate.output import printable
from isolate.request import Request
from isolate.resolution.remembered import read_followed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.environment.installed import Installed
    from isolate.environment.records import State
    from isolate.named import Named
    from isolate.session import Session

MAX_DIFFERENCES_SHOWN = 5
"""How many differences a status shows to people."""


def status_if_up_to_date(application: Application) -> Outcome | None:
    """Return the status of *application* if its stamp says that nothing has changed; else None."""
    if up_to_date_message(str(application.venv), variable_line) is None:
        return None
    state = read_state(application.venv)
    return None if state is None else _outcome(application, state, ())


def status(application: Application, session: Session) -> Outcome:
    """Return the status of *application*; needs no network, and changes nothing but what a killed command left."""
    if (known := status_if_up_to_date(application)) is not None:
        return known
    findings: list[dict[str, str]] = check(application, session).facts["findings"]  # type: ignore[assignment]
    return _outcome(application, read_state(application.venv), [Finding(**finding).line for finding in findings])


def _outcome(application: Application, state: State | None, differences: Sequence[str]) -> Outcome:
    declarations = read_followed(application, Request())[1]
    facts: dict[str, object] = {
        "declarations": _sources(application, declarations),
        "lock": _lock(application, state, declarations.named),
        "named": list(declarations.named.options),
        "python": None if state is None else state.interpreter["version"],
        "packages": 0 if state is None else len(state.installed.keys() - {"pip"}),
        "size": _size(application.venv, state),
        "last_sync": _last_sync(application.venv),
        "up_to_date": not differences,  # a missing environment is one
        "differences": list(differences),
    }
    return Outcome(command="status", facts=facts, lines=tuple(_lines(facts)))


def _sources(application: Application, declarations: Declarations) -> list[str]:
    root = application.root
    files = [file for file in declarations.files if file != application.lock_file]
    return [os.path.relpath(file, root) for file in files] or ["pylock.toml"]


def _lock(application: Application, state: State | None, named: Named) -> str | None:
    """Return what fixes the versions: `pylock.toml`, `pins` if the declarations do it, None if nothing does.

    Files that were named have a lock in the environment alone.
    """
    if named.has_files:
        return None if state is None else "environment"
    if application.lock_file.exists():
        return "pylock.toml"
    return None if state is None else "pins"


def _size(venv: Path, state: State | None) -> dict[str, int]:
    """Return the bytes of all distributions, and how many of them are in files that environments may share."""
    dists = [] if state is None else [*state.installed.values()]
    shared = sum(dist.size - sum(file.size for file in dist.rewritten) for dist in dists if _is_linked(venv, dist))
    return {"total": sum(dist.size for dist in dists), "shared": shared}


def _is_linked(venv: Path, installed: Installed) -> bool:
    try:
        return any(os.lstat(venv / path).st_nlink > 1 for path in metadata_files(installed)[:1])
    except OSError:
        return False


def _last_sync(venv: Path) -> float | None:
    """Return when the environment was last synced or found up to date, in seconds since 1970."""
    times = [path.stat().st_mtime for path in (venv / STAMP, venv / STATE) if path.exists()]
    return max(times, default=None)


def _lines(facts: Mapping[str, object]) -> list[str]:
    differences = [str(line) for line in facts["differences"]]  # type: ignore[attr-defined]
    *row, up_to_date = cells(facts)
    row.append("no" if differences else up_to_date)  # the lines below say how it differs
    named = [str(option) for option in facts["named"]]  # type: ignore[attr-defined]
    lines = [f"{heading}: {cell}" for heading, cell in zip(HEADINGS, row, strict=True)]
    more = (
        [f"  and {count(len(differences) - MAX_DIFFERENCES_SHOWN, 'more difference')}"]
        if len(differences) > MAX_DIFFERENCES_SHOWN
        else []
    )
    return [
        *lines,
        *([f"{TITLE}: {', '.join(named)}"] if named else []),
        *(f"  {line}" for line in differences[:MAX_DIFFERENCES_SHOWN]),
        *more,
    ]


HEADINGS = ("python", "declared in", "lock", "packages", "size", "last sync", "up to date")


def cells(facts: Mapping[str, object]) -> tuple[str, ...]:
    """Return the text below each of `HEADINGS`."""
    size: Mapping[str, int] = facts["size"]  # type: ignore[assignment]
    sources: list[str] = facts["declarations"]  # type: ignore[assignment]
    when: float | None = facts["last_sync"]  # type: ignore[assignment]
    differences: list[str] = facts["differences"]  # type: ignore[assignment]
    lock = str(facts["lock"])
    return (
        str(facts["python"] or "-"),
        ", ".join(sources),
        {"None": "none", "pins": "none needed", "environment": "in .venv"}.get(lock, lock),
        str(facts["packages"]),
        f"{in_units(size['total'])}, {in_units(size['shared'])} shared" if size["total"] else "-",
        "-" if when is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(when)),
        f"no: {differences[0]}" if differences else "yes",
    )


def table(rows: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Return the lines of a table with the status of many applications, by name."""
    rows_shown = [
        ("application", *HEADINGS),
        *(tuple(map(printable, (name, *cells(facts)))) for name, facts in rows.items()),
    ]
    widths = [max(map(len, column)) for column in zip(*rows_shown, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows_shown
    ]
