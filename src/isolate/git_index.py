"""The index of a git repository, and which files of the working tree differ from it.

git itself would compare them through the filters that a repository may configure, which are programs. So a file whose
size or time has changed is hashed here, as it is.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

LIST_ARGUMENTS = ("ls-files", "--stage", "--debug", "-z")
"""The git command whose output `parse_index` reads."""

ENTRY = re.compile(
    r"(?P<kind>\d{6}) (?P<name>[0-9a-f]{40,64}) \d\t(?P<path>[^\0]+)\0"
    r"  ctime: \d+:\d+\n  mtime: (?P<seconds>\d{1,20}):(?P<nanoseconds>\d{1,20})\n"
    r"  dev: \d+\tino: \d+\n  uid: \d+\tgid: \d+\n  size: (?P<size>\d{1,20})\tflags: (?P<flags>[0-9a-f]{1,20})\n"
)

SUBMODULE, LINK, EXECUTABLE = "160000", "120000", "100755"
"""Kinds of entries. All others are ordinary files."""

NOT_CHECKED_OUT = 0x40000000
"""The flag of a file that a sparse checkout leaves out."""

CHUNK_SIZE = 1 << 20


class IndexEntry(NamedTuple):
    """A path that git tracks: the `kind` and the `name` (hash) of its content, its `mtime` (ns) and size back then."""

    path: str
    kind: str
    name: str
    mtime: int
    size: int
    is_left_out: bool = False


def parse_index(listed: str) -> Iterator[IndexEntry]:
    """Yield the entries in the output of git for `LIST_ARGUMENTS`."""
    for match in ENTRY.finditer(listed):
        mtime = int(match["seconds"]) * 10**9 + int(match["nanoseconds"])
        is_left_out = bool(int(match["flags"], 16) & NOT_CHECKED_OUT)
        yield IndexEntry(match["path"], match["kind"], match["name"], mtime, int(match["size"]), is_left_out)


def is_changed(entry: IndexEntry, top: str, *, index_mtime: int, has_modes: bool) -> bool:
    """Return whether the file of *entry* in the working tree *top* differs from the index.

    *index_mtime* is the time (ns) of the index itself: a file of that time or later may have changed unnoticed. With
    *has_modes*, the file system tells which files are executable.
    """
    path = f"{top}/{entry.path}"
    try:
        status = os.lstat(path)
    except OSError:
        return not entry.is_left_out
    if stat.S_ISLNK(status.st_mode):
        return entry.kind != LINK or _name(os.fsencode(os.readlink(path)), entry) != entry.name
    if not stat.S_ISREG(status.st_mode) or entry.kind == LINK:
        return True
    if has_modes and bool(status.st_mode & stat.S_IXUSR) is not (entry.kind == EXECUTABLE):
        return True
    has_same_stat = (status.st_mtime_ns, status.st_size % (1 << 32)) == (entry.mtime, entry.size)
    return not (has_same_stat and entry.mtime < index_mtime) and _name_of_file(path, entry) != entry.name


def _name(content: bytes, entry: IndexEntry) -> str:
    return hashlib.new(_algorithm(entry), b"blob %d\0" % len(content) + content).hexdigest()


def _name_of_file(path: str, entry: IndexEntry) -> str:
    """Return the name that git would give the content of *path*; empty if it cannot be read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as file:
            digest = hashlib.new(_algorithm(entry), b"blob %d\0" % os.fstat(handle).st_size)
            while chunk := file.read(CHUNK_SIZE):
                digest.update(chunk)
    except OSError:
        return ""
    return digest.hexdigest()


def _algorithm(entry: IndexEntry) -> str:
    return "sha1" if len(entry.name) == hashlib.sha1(usedforsecurity=False).digest_size * 2 else "sha256"
