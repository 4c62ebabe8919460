"""What isolate records about an environment, inside it. No other module joins these paths.

<venv>/.isolate/
  state.json            what is installed, from which artifacts and with which options; marks the environment as managed
  template.json         the files that `venv` created; older environments have skeleton.json instead
  manifests/<name>.json the files of each distribution
  lock.toml             the lock that the environment was made from
  history/<n>.json      what each sync changed, and what the environment held afterwards: see `history`
  stamp                 everything that "nothing to do" depends on: see `stamp.read`
  work/                 only while the environment is being changed, or after the process was killed: see `journal`
    staging/            new files, laid out as in the environment
    trash/              what was moved away: see `steps`
    journal.json        the steps; as long as it exists, the change has to be completed. Formerly switch.json
    rollback.json       the same after the system refused a step: the change has to be undone
    journal.json.new    the same while it is being written

`stamp.read` is the one exception: every run imports it, so it imports nothing, this module included.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from isolate.bounded_read import read_json
from isolate.interpreters.interpreter import Interpreter
from isolate.locked import Selection, with_source_id
from isolate.store.layout import is_key
from isolate.store.manifest import NAME, File, Manifest, file_from_row, is_relative_path, read_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

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
HISTORY = ".isolate/history"
LAYOUT = 1
TREE_PREFIX = "tree:"
"""Begins the key of a source tree, which has no entry in the store."""
OLD_KEYS = {"written": "rewritten", "folders": "directories"}
"""What older records call the fields of a distribution."""


class Installed(NamedTuple):
    """A distribution in an environment.

    `key` names the entry that it was linked from. `rewritten` are its files that were written for this environment
    alone. `directories` are those in which a change must be noticed. `size` is that of all its files, in bytes.
    """

    name: str
    version: str
    key: str
    source_id: str
    rewritten: tuple[File, ...] = ()
    directories: tuple[str, ...] = ()
    size: int = 0


class State(NamedTuple):
    """The record of an environment.

    `venv` is its absolute path, `interpreter` describes the Python that it was made from, `link_mode` says how its
    files left the store.
    """

    venv: str
    interpreter: Mapping[str, Any]
    selection: Selection
    inexact: bool = False
    bytecode: bool = False
    link_mode: str = "auto"
    installed: Mapping[str, Installed] = {}

    def to_json(self) -> bytes:
        """Return the content of the record's file."""
        table = {
            "layout": LAYOUT,
            "venv": self.venv,
            "interpreter": dict(self.interpreter),
            "selection": self.selection.to_dict(),
            "inexact": self.inexact,
            "bytecode": self.bytecode,
            "link_mode": self.link_mode,
            "installed": [
                {**dist._asdict(), "rewritten": [list(file) for file in dist.rewritten]} for dist in self._sorted()
            ],
        }
        return json.dumps(table).encode()

    def _sorted(self) -> list[Installed]:
        return [self.installed[name] for name in sorted(self.installed)]


def read_state(venv: Path) -> State | None:
    """Return the record of the environment *venv*; None if isolate did not create it, or the record is unreadable."""
    try:
        table = read_json(venv / STATE)
        if table["layout"] != LAYOUT:
            return None
        Interpreter.from_dict(table["interpreter"])
        installed = [_installed(row) for row in table["installed"]]
        state = State(
            venv=table["venv"],
            interpreter=table["interpreter"],
            selection=Selection.from_dict(table["selection"]),
            inexact=table["inexact"],
            bytecode=table["bytecode"],
            link_mode=table.get("link_mode", "auto"),  # the oldest records lack it
            installed={dist.name: dist for dist in installed},
        )
    except UNREADABLE:
        return None
    return state if "pip" in state.installed else None  # every environment has its own pip


UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What reading a record raises that isolate did not write, or that was cut off."""


def _installed(table: Mapping[str, Any]) -> Installed:
    """Return the distribution in *table*, whose keys may be those of an older record.

    Raises an exception of `UNREADABLE` for a name, key or path that could lead out of the store or the environment.
    """
    fields = {OLD_KEYS.get(key, key): value for key, value in with_source_id(table).items()}
    rewritten = tuple(map(file_from_row, fields["rewritten"]))
    dist = Installed(**{**fields, "rewritten": rewritten, "directories": tuple(fields["directories"])})
    if not (
        NAME.fullmatch(dist.name)
        and (is_key(dist.key) or dist.key.startswith(TREE_PREFIX))
        and all(map(is_relative_path, dist.directories))
        and isinstance(dist.version, str)
        and isinstance(dist.source_id, str)
        and isinstance(dist.size, int)
    ):
        raise ValueError(f"not a distribution: {table}")
    return dist


def is_managed(venv: Path) -> bool:
    """Return whether isolate created the environment *venv*, even if its record is unreadable or missing.

    `make` deletes the record if a rule makes it an intermediate file. The other records tell as well.
    """
    return any((venv / path).is_file() for path in (TEMPLATE, OLD_TEMPLATE))


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


def installed_files(venv: Path, installed: Installed) -> tuple[File, ...]:
    """Return every file of a distribution in the environment *venv*; only `rewritten` if its manifest is unreadable."""
    try:
        manifest = read_manifest(venv / manifest_path(installed.name))
    except (OSError, ValueError):
        return installed.rewritten
    return _as_installed(manifest, installed.rewritten)


def _as_installed(manifest: Manifest, rewritten: tuple[File, ...]) -> tuple[File, ...]:
    """Return the files of *manifest*, each replaced by the one in *rewritten* that was made from it."""
    by_path = {file.path: file for file in rewritten}
    return tuple(by_path.get(file.path, file) for file in manifest.files)


def metadata_files(installed: Installed) -> list[str]:
    """Return the files by which pip and `importlib.metadata` find a distribution, relative to the environment."""
    metadata = (path.rpartition("/") for path in installed.directories if path.endswith(".dist-info"))
    # A .dist-info directory below site-packages/<package> is that of a vendored distribution.
    own = [f"{parent}/{name}" for parent, _, name in metadata if parent.endswith("/site-packages")]
    return [f"{directory}/{name}" for directory in own for name in ("METADATA", "RECORD")]


NEEDED_BY_EVERY_ENVIRONMENT = frozenset({"pyvenv.cfg", "bin/python", "bin/activate"})
"""A template record without one of these files was not written by isolate, or was cut off."""


def template_files(venv: Path) -> tuple[File, ...] | None:
    """Return the files that `venv` created in this environment; None if the record is missing or unreadable."""
    record = next((path for path in (TEMPLATE, OLD_TEMPLATE) if os.path.lexists(venv / path)), TEMPLATE)
    try:
        files = tuple(map(file_from_row, read_json(venv / record)))
    except UNREADABLE:
        return None
    return files if NEEDED_BY_EVERY_ENVIRONMENT.issubset(file.path for file in files) else None


def was_moved(state: State, venv: Path) -> bool:
    """Return whether an environment is not where it was created."""
    return state.venv != str(venv)
