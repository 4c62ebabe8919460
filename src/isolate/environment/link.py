"""Link one entry of the store into a tree: each file is compared with the manifest first."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import posixpath
import stat
from typing import TYPE_CHECKING

from isolate.environment.installed import Installed
from isolate.environment.link_modes import link_function
from isolate.environment.pycache import source_of
from isolate.environment.records import manifest_path
from isolate.errors import IsolateError
from isolate.file_owners import NOTHING, paths_of
from isolate.store.manifest import MODES, File, code_directories, parent_directories
from isolate.store.reserved_paths import first_reserved
from isolate.store.shebangs import add_shebang

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from isolate.file_owners import Overridden
    from isolate.store.entry import Entry

REGULAR_MODES = {kind: stat.S_IFREG | mode for kind, mode in MODES.items()}
"""The `st_mode` of each kind of file in an entry."""


class DamagedEntry(IsolateError):
    """An entry of the store is damaged.

    `key` names it; `others` are the errors of damaged entries that were found with it.
    """

    code = "damaged-entry"
    remedy = "Run the command again, with access to the package index."

    def __init__(self, problem: str, *, key: str = "") -> None:
        super().__init__(problem)
        self.key = key
        self.others: tuple[DamagedEntry, ...] = ()


class FileConflict(Exception):
    """The file of an entry, *path* relative to the environment, is in the way of another one, or of a directory.

    `name` is the distribution.
    """

    def __init__(self, path: str, name: str) -> None:
        super().__init__(path, name)
        self.path, self.name = path, name


class Linker:
    """Links entries into a *tree* whose scripts will run the interpreter *python*."""

    def __init__(self, tree: Path, *, python: str, link_mode: str = "auto", verify_hashes: bool = False) -> None:
        """Create a linker for a link mode of `[tool.isolate]`.

        With *verify_hashes*, every file is hashed, not only those whose size or mtime differs from the manifest.
        """
        self._tree = str(tree)
        self._python = python
        self._link = link_function(link_mode)
        self._verify_hashes = verify_hashes
        self._created: set[str] = set()

    def link_entry(self, entry: Entry, unchanged: Collection[str] = (), overridden: Overridden = NOTHING) -> Installed:
        """Link all files of *entry* and its manifest into the tree, and return what is now installed.

        The files that are *unchanged* or *overridden* are skipped. Several processes may link entries into one tree at
        the same time. Raises `DamagedEntry` if a file differs from the manifest, `FileConflict` if a file exists. The
        tree is then incomplete.
        """
        manifest = entry.manifest
        if (path := first_reserved(file.path for file in manifest.files)) is not None:  # an older isolate let it in
            raise DamagedEntry(f"{path} belongs to the environment itself", key=entry.key)
        manifest_copy = manifest_path(manifest.name)
        skipped = {*unchanged, *paths_of(overridden)} if overridden else unchanged
        new = (file.path for file in manifest.files if file.path not in skipped)
        self._create_directories(parent_directories([*new, manifest_copy]))
        kinds = {file.path: file.kind for file in manifest.files}
        rewritten = tuple(
            self._write(entry, path, content, 0o755 if kinds[path] == "script" else 0o644)
            for path, content in rewritten_contents(entry, self._python).items()
            if path not in skipped
        )
        self._link_files(entry, {*skipped, *(file.path for file in rewritten)})
        copied = self._write(entry, manifest_copy, entry.manifest_file.read_bytes(), 0o444)
        return Installed(
            name=manifest.name,
            version=manifest.version,
            key=entry.key,
            source_id=manifest.source_id,
            rewritten=rewritten,
            directories=code_directories(manifest.files),
            size=sum(file.size for file in manifest.files),
            manifest=copied.sha256,
            overridden=overridden,
        )

    def link_bytecode(self, entry: Entry, overridden: Overridden = NOTHING) -> None:
        """Link the files of *entry*, the bytecode of a distribution in the tree; raises like `link_entry`.

        Bytecode of modules that are *overridden* is skipped.
        """
        modules = paths_of(overridden)
        skipped = {file.path for file in entry.manifest.files if source_of(file.path) in modules} if modules else ()
        self._create_directories(
            parent_directories(file.path for file in entry.manifest.files if file.path not in skipped)
        )
        self._link_files(entry, skipped)

    def _link_files(self, entry: Entry, skipped: Collection[str]) -> None:
        path = ""
        source, tree, link, verify = f"{entry.files}/", f"{self._tree}/", self._link, self._verify_hashes
        try:
            for path, size, mtime_ns, digest, kind in entry.manifest.files:
                if path in skipped:
                    continue
                status = os.lstat(source + path)
                if status.st_mtime_ns != mtime_ns or status.st_size != size or status.st_mode != REGULAR_MODES[kind]:
                    _restore_metadata(entry, File(path, size, mtime_ns, digest, kind))
                elif verify:
                    _read_verified(entry, File(path, size, mtime_ns, digest, kind))
                link(source + path, tree + path)
        except (FileExistsError, FileNotFoundError, NotADirectoryError):
            if os.path.lexists(source + path):
                raise FileConflict(path, entry.manifest.name) from None
            raise DamagedEntry(f"{path} is missing from the store", key=entry.key) from None

    def _create_directories(self, directories: Iterable[str]) -> None:
        for directory in directories:
            if directory not in self._created:
                with contextlib.suppress(FileExistsError, NotADirectoryError):  # linking a file into it will tell
                    os.mkdir(f"{self._tree}/{directory}")
                self._created.add(directory)

    def _write(self, entry: Entry, path: str, content: bytes, mode: int) -> File:
        try:
            handle = os.open(f"{self._tree}/{path}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except (FileExistsError, NotADirectoryError):
            raise FileConflict(path, entry.manifest.name) from None
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(handle, mode)
        status = os.lstat(f"{self._tree}/{path}")
        return File(path, status.st_size, status.st_mtime_ns, hashlib.sha256(content).hexdigest(), "file")


def rewritten_contents(entry: Entry, python: str) -> dict[str, bytes]:
    """Return by path the files of *entry* that are written for one environment alone, with their content.

    They are its scripts, which name the interpreter *python*, and RECORD, which lists them. Raises `DamagedEntry`.
    """
    if not entry.manifest.has_scripts:
        return {}
    files = entry.manifest.files
    scripts = {file.path: add_shebang(_read_verified(entry, file), python) for file in files if file.kind == "script"}
    record = next(file for file in files if file.kind == "record")
    text = _read_verified(entry, record).decode()
    return {**scripts, record.path: update_record(text, record.path, scripts).encode()}


def update_record(text: str, path: str, scripts: Mapping[str, bytes]) -> str:
    """Return *text*, the content of the RECORD at *path*, with the hashes and sizes of the written *scripts*."""
    site = posixpath.dirname(posixpath.dirname(path))
    by_path = {posixpath.relpath(script, site): content for script, content in scripts.items()}
    rows = []
    for row in text.splitlines():
        name = row.partition(",")[0]
        content = by_path.get(name)
        rows.append(row if content is None else f"{name},sha256={_urlsafe_sha256(content)},{len(content)}")
    return "\n".join([*rows, ""])


def _urlsafe_sha256(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


def _restore_metadata(entry: Entry, file: File) -> None:
    """Restore permissions and mtime of a file in the store, if its content is the published one.

    Hard-linked files share an inode: a `touch` or `chmod` in an environment also changes the file in the store. Raises
    `DamagedEntry` if the content differs.
    """
    path = entry.files / file.path
    try:
        if path.is_symlink():
            raise PermissionError
        path.chmod(MODES[file.kind])
        _read_verified(entry, file)
        os.utime(path, ns=(file.mtime_ns, file.mtime_ns))
    except OSError:  # another user owns the store
        raise DamagedEntry(f"{file.path} was modified in the store", key=entry.key) from None


def _read_verified(entry: Entry, file: File) -> bytes:
    """Return the content of a file of the store; raise `DamagedEntry` if its hash differs from the manifest."""
    try:
        content = (entry.files / file.path).read_bytes()
    except OSError:
        content = b""
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise DamagedEntry(f"{file.path} was modified in the store", key=entry.key)
    return content
