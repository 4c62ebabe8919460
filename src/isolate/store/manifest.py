"""The record of every file of an entry. Pure, but for reading and writing the file itself.

A manifest is made when an entry is published and never changes; it travels with the files into every environment, so
that an environment can be checked after the store is gone.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from isolate.locked import with_source_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

Kind = Literal["file", "executable", "script", "record"]
"""`script` is kept without its first line, which names an interpreter; `record` is RECORD, which lists them. Both
are written anew in every environment; the other kinds are linked."""


MODES: dict[Kind, int] = {"file": 0o444, "executable": 0o555, "script": 0o555, "record": 0o444}
"""The permissions that each kind has in an entry."""

LINKED = ("file", "executable")
"""The kinds of files that environments hold links to."""


class File(NamedTuple):
    """One file: path below the environment (`/` between parts), size in bytes, time in nanoseconds, sha256 in hex."""

    path: str
    size: int
    mtime_ns: int
    sha256: str
    kind: Kind


class Manifest(NamedTuple):
    """What one distribution consists of. `files` are ordered by path."""

    name: str
    version: str
    source_id: str
    interpreter_kind: str
    pip: str
    files: tuple[File, ...]

    @property
    def folders(self) -> tuple[str, ...]:
        """Return every directory that holds one of the files, or a directory that does, parents first."""
        return folders_of(file.path for file in self.files)

    @property
    def has_scripts(self) -> bool:
        """Say whether some files are written anew in each environment."""
        return any(file.kind == "script" for file in self.files)

    def to_json(self) -> bytes:
        """Return the manifest as its file holds it."""
        table = {**self._asdict(), "files": [list(file) for file in self.files]}
        return json.dumps(table, separators=(",", ":")).encode()


def folders_of(paths: Iterable[str]) -> tuple[str, ...]:
    """Return all directories above *paths*, parents first; the top, which is always there, is left out."""
    found: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return tuple(sorted(found))


def tree_of(paths: Iterable[str]) -> dict[str, dict]:  # type: ignore[type-arg]
    """Return *paths* as a tree: a directory is a table of what is in it, a file an empty one."""
    top: dict[str, dict] = {}  # type: ignore[type-arg]
    for path in paths:
        here = top
        for part in path.split("/"):
            here = here.setdefault(part, {})
    return top


CODE = (".py", ".so", ".pyd", ".pth", ".dylib", ".pyi")
"""Ends of the names of files that Python imports or reads at its start."""


def code_folders(files: Iterable[File]) -> tuple[str, ...]:
    """Return the directories that hold modules, scripts or metadata, and those above them where such are looked for."""
    found = {path.rpartition("/")[0] for path, *_ in files if _counts(path)}
    above = folders_of(f"{folder}/." for folder in found)
    return tuple(sorted(found.union(folder for folder in above if "site-packages" in folder)))


def _counts(path: str) -> bool:
    return path.endswith(CODE) or path.startswith("bin/") or ".dist-info/" in path


def digest_of_file(path: str | Path) -> str:
    """Return the sha256 (hex) of the content of *path*."""
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write *manifest* into *folder*, where nobody sees it yet."""
    path = folder / "manifest.json"
    path.write_bytes(manifest.to_json())
    path.chmod(0o444)


def read_manifest(path: Path) -> Manifest:
    """Return the manifest in *path*; raise `OSError` or `ValueError` if there is none that can be read."""
    table: Mapping[str, Any] = json.loads(path.read_bytes())
    try:
        return Manifest(**{**with_source_id(table), "files": tuple(File(*row) for row in table["files"])})
    except (TypeError, KeyError) as error:
        raise ValueError(f"{path} is no manifest: {error}") from None
