"""What isolate records about an environment, inside it. No other module joins these paths.

<venv>/.isolate/
  state.json            what is installed, from which artifacts and with which options; marks the environment as managed
  template.json         the files that `venv` created; older environments have skeleton.json instead
  manifests/<name>.json the files of each distribution; the state has a digest of each
  lock.toml             the lock that the environment was made from
  history/<n>.json      what each sync changed, and what the environment held afterwards: see `history`
  stamp                 everything that "nothing to do" depends on: see `stamp.read`
  work/                 only while the environment is being changed, or after the process was killed: see `journal`
    staging/            new files, laid out as in the environment
    trash/              what was moved away: see `steps`
    journal.json        the steps; as long as it exists, the change has to be completed. Formerly switch.json
    rollback.json       the same after the system refused a step: the change has to be undone
    journal.json.new    the same while it is being written
  unverified-work-<n>/  a work directory that this user's isolate did not leave

Every record but the manifests begins with a code, and counts only if this user's isolate wrote it: see
`isolate.signed_record`.

`stamp.read` is the one exception: every run imports it, so it imports nothing, this module included.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from isolate.bounded_read import parse_json
from isolate.environment.installed import Installed, installed_from
from isolate.interpreters.interpreter import Interpreter
from isolate.locked import Selection
from isolate.named import Named
from isolate.owners import has_foreign
from isolate.signed_record import content_of, read_regular_file, read_signed, signed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from isolate.store.manifest import File


DIRECTORY = ".isolate"
STATE = ".isolate/state.json"
TEMPLATE = ".isolate/template.json"
OLD_TEMPLATE = ".isolate/skeleton.json"
LOCK = ".isolate/lock.toml"
STAMP = ".isolate/stamp"
WORK = ".isolate/work"
STAGING = ".isolate/work/staging"
TRASH = ".isolate/work/trash"
JOURNAL = ".isolate/work/journal.json"
OLD_JOURNAL = ".isolate/work/switch.json"
ROLLBACK_JOURNAL = ".isolate/work/rollback.json"
UNFINISHED_JOURNAL = ".isolate/work/journal.json.new"
UNVERIFIED_WORK = ".isolate/unverified-work"
HISTORY = ".isolate/history"
LAYOUT = 1


class State(NamedTuple):
    """The record of an environment.

    `venv` is its absolute path, `interpreter` describes the Python that it was made from, `link_mode` says how its
    files left the store. `named` is what was named on the command line, which later commands follow. `lock_key` is the
    key under which the store keeps the lock of its declarations; empty if that lock is in the tree.
    """

    venv: str
    interpreter: Mapping[str, Any]
    selection: Selection
    inexact: bool = False
    bytecode: bool = False
    link_mode: str = "auto"
    installed: Mapping[str, Installed] = {}
    named: Named = Named()
    lock_key: str = ""

    def to_record(self) -> bytes:
        """Return the content of the record's file, with its code."""
        table = {
            "layout": LAYOUT,
            "venv": self.venv,
            "interpreter": dict(self.interpreter),
            "selection": self.selection.to_dict(),
            "inexact": self.inexact,
            "bytecode": self.bytecode,
            "link_mode": self.link_mode,
            **({"named": self.named.to_dict()} if self.named != Named() else {}),
            **({"lock_key": self.lock_key} if self.lock_key else {}),
            "installed": [dist.to_dict() for dist in self._sorted()],
        }
        return signed_record(self.venv, STATE, json.dumps(table).encode())

    def _sorted(self) -> list[Installed]:
        return [self.installed[name] for name in sorted(self.installed)]


def template_record(venv: Path | str, files: Iterable[File]) -> bytes:
    """Return the record of the *files* that `venv` created in the environment that is, or will be, at *venv*."""
    return signed_record(venv, TEMPLATE, json.dumps([list(file) for file in files]).encode())


KINDS = {STATE: "state", TEMPLATE: "template", LOCK: "lock"}
"""The kinds of these records, by path."""


def signed_record(venv: Path | str, path: str, content: bytes) -> bytes:
    """Return *content* as the record at *path*, relative to the environment that is, or will be, at *venv*."""
    return signed(KINDS[path], f"{venv}/{path}", content)


def read_record(venv: Path, path: str) -> bytes:
    """Return the content of the record at *path*, relative to the environment *venv*.

    Raises `OSError` if there is none, and `Unverified`, a `ValueError`, if this user's isolate did not write it.
    """
    return read_signed(KINDS[path], f"{venv}/{path}")


def replace_record(venv: Path, path: str, content: bytes, *, mode: int = 0o644) -> None:
    """Replace the record at *path* of the environment *venv* by *content*, and leave nothing behind if interrupted."""
    from isolate import fs  # commands that only look do not need it

    try:
        fs.write(venv / path, content, staging=venv / WORK, mode=mode, durable=True)
    finally:
        with contextlib.suppress(OSError):
            (venv / WORK).rmdir()


def read_state(venv: Path) -> State | None:
    """Return the record of the environment *venv*; None if this user's isolate did not write it, or does not own it."""
    try:
        return None if has_foreign(venv, DIRECTORY, STATE) else _parse_state(read_record(venv, STATE))
    except UNREADABLE:
        return None


def claimed_state(venv: Path) -> State | None:
    """Return what a record without a valid code says about the environment *venv*, a hint; None if it is unreadable."""
    try:
        return _parse_state(content_of(read_regular_file(f"{venv}/{STATE}")))
    except UNREADABLE:
        return None


@lru_cache(maxsize=2)  # a sync reads the record of its environment several times
def _parse_state(content: bytes) -> State | None:
    """Return the state with this *content*; raise an exception of `UNREADABLE` if there is none in it."""
    table = parse_json(content, STATE)
    if table["layout"] != LAYOUT:
        return None
    Interpreter.from_dict(table["interpreter"])
    installed = map(installed_from, table["installed"])
    state = State(
        venv=table["venv"],
        interpreter=table["interpreter"],
        selection=Selection.from_dict(table["selection"]),
        inexact=table["inexact"],
        bytecode=table["bytecode"],
        link_mode=table.get("link_mode", "auto"),  # the oldest records lack it
        installed={dist.name: dist for dist in installed},
        named=Named.from_dict(table.get("named", {})),  # written only if something was named
        lock_key=str(table.get("lock_key", "")),
    )
    return state if "pip" in state.installed else None  # every environment has its own pip


UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What reading a record raises that isolate did not write, or that was cut off."""


def is_managed(venv: Path) -> bool:
    """Return whether an isolate created the environment *venv*, even if its record is unreadable or missing.

    `make` deletes the record if a rule makes it an intermediate file. The other records tell as well.
    """
    return any((venv / path).is_file() for path in (STATE, TEMPLATE, OLD_TEMPLATE, LOCK))


def is_record(path: str) -> bool:
    """Return whether *path*, relative to the environment, is one of isolate's own files."""
    return path.partition("/")[0] == DIRECTORY


def manifest_path(name: str) -> str:
    """Return the path of the manifest of the distribution *name*, relative to the environment."""
    return f".isolate/manifests/{name}.json"


def generation_path(number: int) -> str:
    """Return the path of generation *number* of the history, relative to the environment."""
    return f"{HISTORY}/{number}.json"


GENERATION = re.compile(r"([1-9][0-9]{0,8})\.json")


def generation_numbers(venv: Path) -> list[int]:
    """Return the numbers of the recorded generations of the environment *venv*, the latest first."""
    try:
        with os.scandir(venv / HISTORY) as entries:
            files = [GENERATION.fullmatch(entry.name) for entry in entries if entry.is_file(follow_symlinks=False)]
    except OSError:
        return []
    return sorted((int(match[1]) for match in files if match), reverse=True)


def was_moved(state: State, venv: Path) -> bool:
    """Return whether an environment is not where it was created."""
    return state.venv != str(venv)
