"""From the store into a tree: each file is checked against its manifest as it leaves, then linked."""

from __future__ import annotations

import base64
import contextlib
import errno
import fcntl
import hashlib
import os
import posixpath
import shutil
import stat
from typing import TYPE_CHECKING

from isolate.environment.records import Installed, manifest_path
from isolate.errors import IsolateError
from isolate.store.manifest import MODES, File, code_directories, parent_directories
from isolate.store.shebangs import add_shebang

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from isolate.store.store import Entry

FICLONE = 0x40049409
"""`ioctl` request of Linux that shares the blocks of a file, copy on write: `man ioctl_ficlone`."""


class DamagedEntry(IsolateError):
    """An entry of the store is not as it was published; `key` names it, `others` are those found with it."""

    def __init__(self, problem: str, *, key: str = "") -> None:
        super().__init__(problem)
        self.key = key
        self.others: tuple[DamagedEntry, ...] = ()


class FileConflict(Exception):
    """Something lies already where a file of an entry belongs; the argument is its path below the environment."""


class Linker:
    """Puts entries into a *tree* whose scripts are to name the interpreter *python*."""

    def __init__(self, tree: Path, *, python: str, link_mode: str = "auto", verify_hashes: bool = False) -> None:
        """Make a placer; *link_mode* is one that `[tool.isolate]` may name.

        With *verify_hashes* every content is compared, not only where size or time are not those of the manifest.
        """
        self._tree = str(tree)
        self._python = python
        self._link = _linker(link_mode)
        self._verify_hashes = verify_hashes
        self._made: set[str] = set()

    def link_entry(self, entry: Entry, staying: Collection[str] = ()) -> Installed:
        """Put all files of *entry* into the tree, with its manifest, and return what is now installed.

        Those in *staying* lie where they belong already. Several processes may place entries at once.
        Raises `DamagedEntry` if a file is not what the manifest says, `FileConflict` if something else brought the same
        file; the tree is then good for nothing.
        """
        manifest = entry.manifest
        record = manifest_path(manifest.name)
        arriving = (file.path for file in manifest.files if file.path not in staying)
        self._make_folders(parent_directories([*arriving, record]))
        written = tuple(self._write_scripts(entry)) if manifest.has_scripts else ()
        self._link_files(entry, {*staying, *(file.path for file in written)})
        self._link(str(entry.manifest_file), f"{self._tree}/{record}")
        return Installed(
            name=manifest.name,
            version=manifest.version,
            key=entry.key,
            source_id=manifest.source_id,
            written=written,
            folders=code_directories(manifest.files),
            size=sum(file.size for file in manifest.files),
        )

    def link_files(self, entry: Entry) -> None:
        """Put the files of *entry* into the tree, as a part of what is there already; raises as `link_entry` does."""
        self._make_folders(entry.manifest.directories)
        self._link_files(entry, frozenset())

    def _link_files(self, entry: Entry, done: Collection[str]) -> None:
        manifest, path = entry.manifest, ""
        source, tree, link, verify = f"{entry.files}/", f"{self._tree}/", self._link, self._verify_hashes
        try:
            for path, size, mtime_ns, digest, kind in manifest.files:
                if path in done:
                    continue
                status = os.lstat(source + path)
                if status.st_mtime_ns != mtime_ns or status.st_size != size or status.st_mode != PLAIN[kind]:
                    _put_right(entry, File(path, size, mtime_ns, digest, kind))
                elif verify:
                    _sound(entry, File(path, size, mtime_ns, digest, kind))
                link(source + path, tree + path)
        except FileExistsError:
            raise FileConflict(path) from None
        except FileNotFoundError:
            raise DamagedEntry(f"{path} is gone from the store", key=entry.key) from None

    def _make_folders(self, folders: tuple[str, ...]) -> None:
        for folder in folders:
            if folder not in self._made:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(f"{self._tree}/{folder}")
                self._made.add(folder)

    def _write_scripts(self, entry: Entry) -> list[File]:
        """Write the files of *entry* that name the interpreter, and RECORD, which lists them."""
        scripts = [
            self._write(file.path, add_shebang(_sound(entry, file), self._python), 0o755)
            for file in entry.manifest.files
            if file.kind == "script"
        ]
        record = next(file for file in entry.manifest.files if file.kind == "record")
        text = _sound(entry, record).decode()
        return [*scripts, self._write(record.path, relist(text, record.path, scripts).encode(), 0o644)]

    def _write(self, path: str, content: bytes, mode: int) -> File:
        try:
            handle = os.open(f"{self._tree}/{path}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            raise FileConflict(path) from None
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(handle, mode)
        status = os.lstat(f"{self._tree}/{path}")
        return File(path, status.st_size, status.st_mtime_ns, hashlib.sha256(content).hexdigest(), "file")


def relist(record: str, path: str, scripts: list[File]) -> str:
    """Return the text of the RECORD at *path*, with the hashes and sizes of *scripts* as they are here."""
    here = {posixpath.relpath(file.path, posixpath.dirname(posixpath.dirname(path))): file for file in scripts}
    rows = []
    for row in record.splitlines():
        name = row.partition(",")[0]
        file = here.get(name)
        rows.append(f"{name},sha256={_base64(file.sha256)},{file.size}" if file else row)
    return "\n".join([*rows, ""])


def _base64(hexadecimal: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(hexadecimal)).decode().rstrip("=")


PLAIN = {kind: stat.S_IFREG | mode for kind, mode in MODES.items()}
"""What `lstat` says of the kinds of files in an entry."""


def _put_right(entry: Entry, file: File) -> None:
    """Give a file of the store its permissions and its time again, if its content is what was published.

    Whoever touches a file of an environment, or takes the right to read it away, does so to the one in the store too.
    Raises `DamagedEntry` for a file with another content.
    """
    path = entry.files / file.path
    try:
        if path.is_symlink():
            raise PermissionError
        path.chmod(MODES[file.kind])
        _sound(entry, file)
        os.utime(path, ns=(file.mtime_ns, file.mtime_ns))
    except OSError:  # not a store that we may put right
        raise DamagedEntry(f"{file.path} was changed in the store", key=entry.key) from None


def _sound(entry: Entry, file: File) -> bytes:
    """Return the content of a file of the store, read whole and so checked whole."""
    try:
        content = (entry.files / file.path).read_bytes()
    except OSError:
        content = b""
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise DamagedEntry(f"{file.path} was changed in the store", key=entry.key)
    return content


def _linker(mode: str) -> Callable[[str, str], None]:
    if mode == "hardlink":
        return os.link
    if mode == "clone":
        return clone
    if mode == "copy":
        return copy
    return AutoLink()


class AutoLink:
    """Clones where the file system can, else links, else copies; what failed once is not tried again."""

    def __init__(self) -> None:
        """Begin with the best way."""
        self._ways: list[Callable[[str, str], None]] = [clone, os.link, copy]

    def __call__(self, source: str, target: str) -> None:
        """Make *target* the same file as *source*, in the best way that works here."""
        while True:
            way, *worse = self._ways
            try:
                way(source, target)
            except OSError as error:
                if not worse or error.errno not in CANNOT:
                    raise
                if error.errno == errno.EMLINK:  # this file has all the links it may have: others have not
                    copy(source, target)
                    return
                self._ways = worse
            else:
                return


CANNOT = frozenset(
    {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL, errno.ENOSYS}
)


def clone(source: str, target: str) -> None:
    """Make *target* share its blocks with *source* until one is written to; raise `OSError` if it cannot be."""
    with open(source, "rb") as original:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.ioctl(handle, FICLONE, original.fileno())
        except OSError:
            os.unlink(target)
            raise
        finally:
            os.close(handle)
    shutil.copystat(source, target)


def copy(source: str, target: str) -> None:
    """Make *target* a copy of *source*, times and permissions too; raise `FileExistsError` if something is there."""
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(source, "rb") as original, os.fdopen(handle, "wb") as new:
        shutil.copyfileobj(original, new)
    shutil.copystat(source, target)
