"""The record of every file of an entry. Pure, except for reading and writing the manifest itself.

A manifest is written when its entry is published and never changes. Each environment gets a copy of it, so that the
environment can be checked after the store was deleted.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from isolate.bounded_read import MAX_RECORD_BYTES, parse_json, read_bounded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

FileKind = Literal["file", "executable", "script", "record"]
"""A `script` is kept without its `#!` line, which names an interpreter; `record` is RECORD, which lists the scripts.
Both are rewritten in every environment. The other kinds are linked."""


MODES: dict[FileKind, int] = {"file": 0o444, "executable": 0o555, "script": 0o555, "record": 0o444}
"""The permissions of each kind of file in an entry."""

DIRECTORY_MODE = 0o755
"""The permissions of each directory of an entry."""

LINKED = ("file", "executable")
"""The kinds of files that environments hold links to."""

OLD_FIELDS = {"identity": "source_id", "interpreter_kind": "compat_tag"}
"""What two fields are called in older manifests, and what they are called now."""


class File(NamedTuple):
    """One file: path below the environment (`/` between parts), size in bytes, mtime in nanoseconds, sha256 in hex."""

    path: str
    size: int
    mtime_ns: int
    sha256: str
    kind: FileKind


class Manifest(NamedTuple):
    """The facts about one distribution and its `files`, which are ordered by path. `pip` is the version of pip."""

    name: str
    version: str
    source_id: str
    compat_tag: str
    pip: str
    files: tuple[File, ...]

    @property
    def directories(self) -> tuple[str, ...]:
        """Return every directory that holds a file or such a directory, parents first."""
        return parent_directories(file.path for file in self.files)

    @property
    def has_scripts(self) -> bool:
        """Return whether some files are rewritten in every environment."""
        return any(file.kind == "script" for file in self.files)

    def to_json(self) -> bytes:
        """Return the content of the manifest's file."""
        table = {**self._asdict(), "files": [list(file) for file in self.files]}
        return json.dumps(table, separators=(",", ":")).encode()


def digests_of(manifest: Manifest) -> dict[str, str]:
    """Return the sha256 (hex) of each file of *manifest* by path."""
    return {file.path: file.sha256 for file in manifest.files}


def parent_directories(paths: Iterable[str]) -> tuple[str, ...]:
    """Return all directories above the relative *paths*, parents first, without the directory they start at."""
    directories: set[str] = set()
    for path in paths:
        directory = path.rpartition("/")[0]
        while directory and directory not in directories:
            directories.add(directory)
            directory = directory.rpartition("/")[0]
    return tuple(sorted(directories))


def path_tree(paths: Iterable[str]) -> dict[str, dict]:  # type: ignore[type-arg]
    """Return *paths* as nested dicts: a directory maps the names in it, a file is an empty dict."""
    root: dict[str, dict] = {}  # type: ignore[type-arg]
    for path in paths:
        directory = root
        for part in path.split("/"):
            directory = directory.setdefault(part, {})
    return root


NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*(?:\+bytecode)?")
"""The name of a distribution in a manifest: normalized (PEP 503). It becomes part of a path."""


def is_relative_path(path: object) -> bool:
    """Return whether *path* names something below a directory: relative, no `..`, no control character."""
    if not isinstance(path, str):
        return False
    if path.isprintable() and "/." not in path and "//" not in path and path[:1] not in {"", "/", "."}:
        return not path.endswith("/")  # nearly every path; a manifest has thousands
    if any(character < " " or character == "\x7f" for character in path):
        return False
    try:
        path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return not {"", ".", ".."}.intersection(path.split("/"))


def are_relative_paths(paths: Collection[str]) -> bool:
    """Return whether `is_relative_path` holds for all *paths*, thousands at a time."""
    text = "\n/" + "\n/".join(paths) + "\n"
    is_plain = text.count("\n") == len(paths) + 1 and text.replace("\n", "").isprintable()
    if is_plain and not any(odd in text for odd in ("//", "/.", "/\n")):
        return True
    return all(map(is_relative_path, paths))


def files_from_rows(rows: Iterable[Iterable[Any]]) -> tuple[File, ...]:
    """Return the files in *rows*, as JSON represents them; raise `TypeError` or `ValueError` if one describes none."""
    files = tuple(map(File._make, rows))
    if not files:
        return ()
    paths, sizes, mtimes, digests, kinds = zip(*files, strict=True)
    if not (
        {*map(type, sizes), *map(type, mtimes)} == {int}
        and {*map(type, digests)} == {str}
        and MODES.keys() >= {*kinds}
        and are_relative_paths(paths)
    ):
        raise ValueError("not a description of files")
    return files


CODE_SUFFIXES = (".py", ".so", ".pyd", ".pth", ".dylib", ".pyi")
"""Suffixes of files that Python imports, or reads when it starts."""


def code_directories(files: Iterable[File]) -> tuple[str, ...]:
    """Return the directories that hold modules, scripts or metadata, and their parents from `site-packages` down."""
    directories = {path.rpartition("/")[0] for path, *_ in files if _is_code(path)}
    parents = parent_directories(f"{directory}/." for directory in directories)
    return tuple(sorted(directories.union(parent for parent in parents if "site-packages" in parent)))


def _is_code(path: str) -> bool:
    return path.endswith(CODE_SUFFIXES) or path.startswith("bin/") or ".dist-info/" in path


def digest_of(content: bytes) -> str:
    """Return the sha256 (hex) of *content*."""
    return hashlib.sha256(content).hexdigest()


def digest_of_file(path: str | Path) -> str:
    """Return the sha256 (hex) of the content of *path*."""
    with open(path, "rb") as file:
        return digest_of(file.read())


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write *manifest* to *path*, read-only. Not atomic: no other process may know the directory yet."""
    path.write_bytes(manifest.to_json())
    path.chmod(0o444)


def read_manifest(path: Path) -> Manifest:
    """Return the manifest in *path*; raise `OSError` or `ValueError` if it cannot be read."""
    return parse_manifest(read_bounded(path, MAX_RECORD_BYTES), path)


def parse_manifest(content: bytes, path: Path | str) -> Manifest:
    """Return the manifest whose file, *path*, has this *content*; raise `ValueError` if it is not one."""
    try:
        table: Mapping[str, Any] = parse_json(content, path)
        fields = {OLD_FIELDS.get(name, name): value for name, value in table.items()}
        manifest = Manifest(**{**fields, "files": files_from_rows(table["files"])})
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} is not a manifest: {error}") from None
    texts = (manifest.name, manifest.version, manifest.source_id, manifest.compat_tag)
    if not all(isinstance(text, str) for text in texts) or not NAME.fullmatch(manifest.name):
        raise ValueError(f"{path} is not a manifest")
    return manifest
