"""What isolate remembers about an environment, inside it. No other module joins these paths.

<venv>/.isolate/
  state.json            what is installed from which artifact, for whom, from where: present = the environment is ours
  skeleton.json         the files that `venv` made
  manifests/<name>.json what each distribution consists of
  lock.toml             the lock that it was made from
  history/<n>.json      what each sync changed, and what the environment held afterwards
  stamp                 everything that "nothing to do" depends on: see `stamp`
  work/                 only while a change is under way, or after it was killed: see `switch`
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from isolate.locked import Selection, with_source_id
from isolate.store.manifest import File, Manifest, read_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FOLDER = ".isolate"
STATE = ".isolate/state.json"
SKELETON = ".isolate/skeleton.json"
LOCK = ".isolate/lock.toml"
STAMP = ".isolate/stamp"
WORK = ".isolate/work"
HISTORY = ".isolate/history"
HISTORY_KEPT = 10
LAYOUT = 1


class Installed(NamedTuple):
    """A distribution in an environment.

    `key` names the entry that it was linked from; `written` are its files that were made for this environment alone;
    `folders` are the directories in which a change must be noticed; `size` is that of all files, in bytes.
    """

    name: str
    version: str
    key: str
    source_id: str
    written: tuple[File, ...] = ()
    folders: tuple[str, ...] = ()
    size: int = 0


class State(NamedTuple):
    """What an environment is.

    `venv` is its absolute path, `interpreter` the facts of the Python it was made from, `link_mode` how its files left
    the store.
    """

    venv: str
    interpreter: Mapping[str, Any]
    selection: Selection
    inexact: bool = False
    bytecode: bool = False
    link_mode: str = "auto"
    installed: Mapping[str, Installed] = {}

    def to_json(self) -> bytes:
        """Return the state as its file holds it."""
        table = {
            "layout": LAYOUT,
            "venv": self.venv,
            "interpreter": dict(self.interpreter),
            "selection": self.selection.to_dict(),
            "inexact": self.inexact,
            "bytecode": self.bytecode,
            "link_mode": self.link_mode,
            "installed": [
                {**one._asdict(), "written": [list(file) for file in one.written]} for one in self._ordered()
            ],
        }
        return json.dumps(table).encode()

    def _ordered(self) -> list[Installed]:
        return [self.installed[name] for name in sorted(self.installed)]


def read_state(venv: Path) -> State | None:
    """Return what isolate remembers about the environment *venv*; None if it did not make it, or cannot tell."""
    try:
        table = json.loads((venv / STATE).read_bytes())
        if table["layout"] != LAYOUT:
            return None
        installed = [_installed(one) for one in table["installed"]]
        return State(
            venv=table["venv"],
            interpreter=table["interpreter"],
            selection=Selection.from_dict(table["selection"]),
            inexact=table["inexact"],
            bytecode=table["bytecode"],
            link_mode=table.get("link_mode", "auto"),  # records were kept before this was one
            installed={one.name: one for one in installed},
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_managed(venv: Path) -> bool:
    """Say whether isolate made the environment *venv*, even if its record cannot be read any more."""
    return (venv / STATE).is_file() and (venv / SKELETON).is_file()


def _installed(table: Mapping[str, Any]) -> Installed:
    written = tuple(File(*row) for row in table["written"])
    return Installed(**{**with_source_id(table), "written": written, "folders": tuple(table["folders"])})


def manifest_path(name: str) -> str:
    """Return where the manifest of the distribution *name* lies, below the environment."""
    return f".isolate/manifests/{name}.json"


def installed_files(venv: Path, installed: Installed) -> tuple[File, ...]:
    """Return every file of a distribution as it was installed here; none if its manifest is lost."""
    try:
        manifest = read_manifest(venv / manifest_path(installed.name))
    except (OSError, ValueError):
        return installed.written
    return as_installed(manifest, installed.written)


def metadata_files(installed: Installed) -> list[str]:
    """Return the files by which pip and `importlib.metadata` know a distribution, below the environment."""
    found = (folder.rpartition("/") for folder in installed.folders if folder.endswith(".dist-info"))
    own = [f"{site}/{name}" for site, _, name in found if site.endswith("/site-packages")]  # deeper: what it vendors
    return [f"{folder}/{name}" for folder in own for name in ("METADATA", "RECORD")]


def as_installed(manifest: Manifest, written: tuple[File, ...]) -> tuple[File, ...]:
    """Return the files of *manifest*, with those in *written* in place of what they were made from."""
    here = {file.path: file for file in written}
    return tuple(here.get(file.path, file) for file in manifest.files)


def template_files(venv: Path) -> tuple[File, ...]:
    """Return the files that `venv` made for this environment; none if the record is lost."""
    try:
        return tuple(File(*row) for row in json.loads((venv / SKELETON).read_bytes()))
    except (OSError, ValueError, TypeError):
        return ()


def was_moved(state: State, venv: Path) -> bool:
    """Say whether an environment stands at another place than where it was made."""
    return state.venv != str(venv)
