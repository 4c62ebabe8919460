"""Turn a distribution that pip installed into a prefix into the files of an entry."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from isolate.errors import InvalidDistribution
from isolate.formatting import count
from isolate.store.layout import entry_files
from isolate.store.manifest import DIRECTORY_MODE, MODES, File, parent_directories, path_tree
from isolate.store.shebangs import strip_shebang
from isolate.store.unpacked import BROKEN_PACKAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isolate.store.manifest import FileKind
    from isolate.store.unpacked import UnpackedDistribution

MAX_LISTED = 3
"""How many faults of a RECORD a warning lists."""


class Ingested(NamedTuple):
    """The files of an entry, by path, and the `faults` of the RECORD that lists them, one text each."""

    files: tuple[File, ...]
    faults: tuple[str, ...]


class _Row(NamedTuple):
    """The file that a row of RECORD names, if there is one, and how the row differs from what pip unpacked."""

    file: File | None
    fault: str | None = None


def ingest(dist: UnpackedDistribution, entry: Path, python: str) -> Ingested:
    """Move the files of *dist* into the directory *entry*, read-only.

    *python* is the interpreter that pip wrote into scripts. Rows of RECORD are taken as pip takes them: a row without a
    file names nothing, and a hash that differs does not matter. Raises `InvalidDistribution` for what is neither a
    file nor a directory, or cannot be read.
    """
    rows = [_normalize(dist, path, python) for path in dist.recorded_hashes]
    files = tuple(sorted(row.file for row in rows if row.file is not None))
    paths = [file.path for file in files]
    target = entry_files(entry)
    target.mkdir()
    _move(str(dist.prefix), str(target), path_tree(paths))
    for directory in parent_directories(paths):
        os.chmod(target / directory, DIRECTORY_MODE)  # pip made it, with the umask of the user
    return Ingested(files, (*dist.faults, *(row.fault for row in rows if row.fault is not None)))


def record_warning(dist: UnpackedDistribution, faults: Sequence[str]) -> str:
    """Return the line that says how the RECORD of *dist* differs from what pip unpacked."""
    more = len(faults) - MAX_LISTED
    listed = ", ".join([*faults[:MAX_LISTED], *([f"and {count(more, 'more fault')}"] if more > 0 else [])])
    return f"warning: the RECORD of {dist} is wrong, and its files are kept as pip unpacked them: {listed}"


def _move(source: str, target: str, tree: dict[str, dict]) -> None:  # type: ignore[type-arg]
    """Move what *tree* names from one directory to another; a directory that holds nothing else takes one rename."""
    pending = [(source, target, tree)]  # no recursion: a tree may be deeper than Python's limit
    while pending:
        source, target, tree = pending.pop()
        for name, subtree in tree.items():
            old, new = f"{source}/{name}", f"{target}/{name}"
            if not subtree or _holds_only(old, subtree):
                os.rename(old, new)
            else:
                os.mkdir(new)
                pending.append((old, new, subtree))


def _holds_only(directory: str, tree: dict[str, dict]) -> bool:  # type: ignore[type-arg]
    """Return whether *tree* names everything in *directory*."""
    pending = [(directory, tree)]
    while pending:
        directory, tree = pending.pop()
        with os.scandir(directory) as paths:
            for path in paths:
                if path.name not in tree:
                    return False
                if path.is_dir(follow_symlinks=False):
                    pending.append((path.path, tree[path.name]))
    return True


def _normalize(dist: UnpackedDistribution, path: str, python: str) -> _Row:
    """Give a file the permissions and the content that it has in the store, and return the facts about it."""
    source = f"{dist.prefix}/{path}"
    try:
        status = os.lstat(source)
    except OSError:
        return _Row(None, f"{path} is missing")
    if stat.S_ISDIR(status.st_mode):
        return _Row(None, f"{path} is a directory")
    content = _content(dist, path, status)
    digest = hashlib.sha256(content).hexdigest()
    is_as_recorded = path == dist.record or dist.recorded_hashes[path] in (None, digest)
    kind: FileKind = "executable" if status.st_mode & 0o111 else "file"
    if path == dist.record:
        kind = "record"
    elif path.startswith("bin/") and (body := strip_shebang(content, python)) is not None:
        kind, digest = "script", hashlib.sha256(body).hexdigest()
        Path(source).write_bytes(body)
        status = os.stat(source)
    os.chmod(source, MODES[kind])
    file = File(path, status.st_size, status.st_mtime_ns, digest, kind)
    return _Row(file, None if is_as_recorded else f"{path} has another hash")


def _content(dist: UnpackedDistribution, path: str, status: os.stat_result) -> bytes:
    """Return the content of the file *path* of *dist*, which has this *status*."""
    if not stat.S_ISREG(status.st_mode):
        raise InvalidDistribution(f"{dist}: {path} is not a regular file", hint=BROKEN_PACKAGE)
    try:
        return (dist.prefix / path).read_bytes()
    except OSError as error:
        raise InvalidDistribution(
            f"{dist}: cannot read {path}, which RECORD lists: {error.strerror}", hint=BROKEN_PACKAGE
        ) from None
