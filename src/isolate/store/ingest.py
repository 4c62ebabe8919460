"""Turn what pip installed into a prefix into entries. RECORD says which distribution a file belongs to.

RECORD is specified in https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_name

from isolate import fs
from isolate.errors import InvalidDistribution, file_conflict
from isolate.store.layout import entry_files
from isolate.store.manifest import DIRECTORY_MODE, MODES, File, is_relative_path, parent_directories, path_tree
from isolate.store.record_file import read_record
from isolate.store.reserved_paths import first_reserved, foreign_metadata
from isolate.store.shebangs import strip_shebang

if TYPE_CHECKING:
    from isolate.store.manifest import FileKind

BROKEN_PACKAGE = "the package is broken: report it to its maintainers, or pin another version"


class UnpackedDistribution(NamedTuple):
    """A distribution that pip installed into *prefix*.

    `record` is the path of its RECORD. `recorded_hashes` has the path of every file, and the sha256 (hex) that RECORD
    states for it, None if it states none. Paths are below the prefix.
    """

    prefix: Path
    name: str
    version: str
    record: str
    recorded_hashes: Mapping[str, str | None]

    def __str__(self) -> str:
        """Return the name and the version, for messages."""
        return f"{self.name} {self.version}"


def read_prefix(prefix: Path) -> dict[str, UnpackedDistribution]:
    """Return the distributions that pip installed into *prefix*, by normalized name.

    Raises `InvalidDistribution` if a RECORD is missing or malformed, if it names a file outside *prefix* or one that no
    distribution may bring, or if two distributions install the same file.
    """
    dists: dict[str, UnpackedDistribution] = {}
    links = fs.directory_links(prefix)
    for dist_info in sorted(prefix.glob("lib*/*/site-packages/*.dist-info")):
        if dist_info.relative_to(prefix).parts[0] not in links:  # it is found below the target of the link, too
            dist = _read_distribution(prefix, dist_info, links)
            _reject_foreign_paths(dist)
            dists[dist.name] = dist
    owners: dict[str, UnpackedDistribution] = {}
    for dist in dists.values():
        for path in dist.recorded_hashes:
            owner = owners.setdefault(path, dist)
            if owner is not dist:
                raise file_conflict(path, owner.name, dist.name, facts=(str(owner), str(dist)))
    return dists


def _reject_foreign_paths(dist: UnpackedDistribution) -> None:
    """Raise `InvalidDistribution` if *dist* has a file of the environment itself, or metadata of another."""
    if (path := first_reserved(dist.recorded_hashes)) is not None:
        raise InvalidDistribution(
            f"{dist} installs {path}, which belongs to the environment itself", hint=BROKEN_PACKAGE
        )
    if (path := foreign_metadata(dist.recorded_hashes, os.path.dirname(dist.record))) is not None:
        raise InvalidDistribution(f"{dist} installs {path}, which is metadata of another package", hint=BROKEN_PACKAGE)


def _read_distribution(prefix: Path, dist_info: Path, links: Mapping[str, str]) -> UnpackedDistribution:
    name, _, version = dist_info.name.removesuffix(".dist-info").partition("-")
    try:
        rows = read_record((dist_info / "RECORD").read_bytes())
    except (OSError, ValueError):
        raise InvalidDistribution(f"{name} {version} has no readable RECORD", hint=BROKEN_PACKAGE) from None
    site = os.path.relpath(dist_info.parent, prefix)
    hashes: dict[str, str | None] = {}
    for row in rows:
        if row:
            path = _without_link(links, os.path.normpath(os.path.join(site, row[0])))
            if os.path.isabs(path) or path.split("/", 1)[0] == os.pardir:
                raise InvalidDistribution(
                    f"{name} {version} has a file outside the environment: {row[0]}", hint=BROKEN_PACKAGE
                )
            if not is_relative_path(path):
                raise InvalidDistribution(
                    f"{name} {version} has a file with a control character in its name: {row[0]}", hint=BROKEN_PACKAGE
                )
            hashes[path] = _recorded_sha256(row)
    return UnpackedDistribution(
        prefix=prefix,
        name=canonicalize_name(name),
        version=version,
        record=f"{site}/{dist_info.name}/RECORD",
        recorded_hashes=hashes,
    )


def _without_link(links: Mapping[str, str], path: str) -> str:
    """Return the relative *path* as it is without *links*, the targets by name: `lib64/x` is `lib/x`."""
    first, separator, rest = path.partition("/")
    return f"{links[first]}/{rest}" if separator and first in links else path


def _recorded_sha256(row: list[str]) -> str | None:
    """Return the sha256 (hex) in a row of RECORD; None if there is none, a text that no file has if it is malformed."""
    algorithm, _, value = row[1].partition("=") if len(row) > 1 else ("", "", "")
    if algorithm != "sha256":
        return None
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()
    except ValueError:
        return "malformed"


def ingest(dist: UnpackedDistribution, entry: Path, python: str) -> tuple[File, ...]:
    """Move the files of *dist* into the directory *entry*, read-only, and return them by path.

    *python* is the interpreter that pip wrote into scripts. Raises `InvalidDistribution` for a file that is missing, is
    not a regular file, or does not match RECORD.
    """
    files = [_normalize(dist, path, python) for path in dist.recorded_hashes]
    target = entry_files(entry)
    target.mkdir()
    _move(str(dist.prefix), str(target), path_tree(dist.recorded_hashes))
    for directory in parent_directories(dist.recorded_hashes):
        os.chmod(target / directory, DIRECTORY_MODE)  # pip made it, with the umask of the user
    return tuple(sorted(files))


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


def _normalize(dist: UnpackedDistribution, path: str, python: str) -> File:
    """Give a file the permissions and the content that it has in the store, and return the facts about it."""
    source = f"{dist.prefix}/{path}"
    status, content, digest = _verified(dist, path, source)
    kind: FileKind = "executable" if status.st_mode & 0o111 else "file"
    if path == dist.record:
        kind = "record"
    elif path.startswith("bin/") and (body := strip_shebang(content, python)) is not None:
        kind, digest = "script", hashlib.sha256(body).hexdigest()
        Path(source).write_bytes(body)
        status = os.stat(source)
    os.chmod(source, MODES[kind])
    return File(path, status.st_size, status.st_mtime_ns, digest, kind)


def _verified(dist: UnpackedDistribution, path: str, source: str) -> tuple[os.stat_result, bytes, str]:
    """Return status, content and sha256 (hex) of the file *source*, which RECORD lists as *path*."""
    try:
        status = os.lstat(source)
        if not stat.S_ISREG(status.st_mode):
            raise InvalidDistribution(f"{dist}: {path} is not a regular file", hint=BROKEN_PACKAGE)
        with open(source, "rb") as file:
            content = file.read()
    except OSError as error:
        raise InvalidDistribution(
            f"{dist}: cannot read {path}, which RECORD lists: {error.strerror}", hint=BROKEN_PACKAGE
        ) from None
    expected, actual = dist.recorded_hashes[path], hashlib.sha256(content).hexdigest()
    if expected not in (None, actual) and path != dist.record:
        facts = (f"RECORD: sha256 {expected}", f"file: sha256 {actual}")
        raise InvalidDistribution(f"{dist}: {path} does not match its RECORD", facts=facts, hint=BROKEN_PACKAGE)
    return status, content, actual
