"""Compare an environment with what isolate installed into it. Nothing is changed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_name

from isolate.bounded_read import MAX_RECORD_BYTES, read_bounded
from isolate.environment.file_records import has_manifest, installed_files, template_files
from isolate.environment.installed import metadata_files
from isolate.environment.pycache import source_of
from isolate.environment.records import DIRECTORY, TEMPLATE, is_record, manifest_path
from isolate.owners import ROOT, own_ids
from isolate.permissions import UNSAFE_BITS, is_unsafe_file, others_may_write
from isolate.store.manifest import digest_of_file, parent_directories
from isolate.store.record_file import read_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from isolate.environment.installed import Installed
    from isolate.environment.records import State
    from isolate.store.manifest import File


class DamagedFile(NamedTuple):
    """A file that differs from what was installed.

    `code` is `missing-file`, `modified-file` or `unsafe-mode`; that may be a directory, too. `name` is the
    distribution, empty for the environment itself.
    """

    name: str
    path: str
    code: str


class UnmanagedDistribution(NamedTuple):
    """A distribution that isolate did not install; `files` are those that it owns, relative to the environment."""

    name: str
    version: str
    files: tuple[str, ...]


def damaged_files(
    venv: Path, state: State, *, names: Iterable[str] | None = None, verify_hashes: bool = False
) -> list[DamagedFile]:
    """Return every damaged file of the distributions *names*; by default of all, of the template, and all directories.

    A file is read only if its size or mtime differs; with *verify_hashes*, every file is.
    """
    chosen = state.installed if names is None else {name: state.installed[name] for name in names}
    damaged: list[DamagedFile] = []
    for dist in chosen.values():
        files = installed_files(venv, dist)
        damaged += _damaged(venv, dist.name, files, verify_hashes=verify_hashes)
        if len(files) <= len(dist.rewritten):
            damaged.append(DamagedFile(name=dist.name, path=manifest_path(dist.name), code="missing-file"))
    if names is None:
        damaged += damaged_template_files(venv, verify_hashes=verify_hashes)
        damaged += unsafe_directories(venv, state)
    return damaged


def altered_manifests(venv: Path, state: State) -> list[DamagedFile]:
    """Return the manifests that are missing or modified: without one, the files of the distribution are not known."""
    altered = (dist.name for dist in state.installed.values() if not has_manifest(venv, dist))
    return [DamagedFile(name=name, path=manifest_path(name), code="modified-file") for name in altered]


def unsafe_directories(venv: Path, state: State) -> Iterator[DamagedFile]:
    """Yield the directories of the environment in which others may replace what Python imports or runs, and links."""
    trusted = {ROOT, *own_ids(), os.lstat(venv).st_uid}
    installed = {directory for dist in state.installed.values() for directory in dist.directories}
    for directory in sorted({".", DIRECTORY, *installed, *parent_directories(installed)}):
        with contextlib.suppress(OSError):  # missing: so are its files
            status = os.lstat(venv / directory)
            if stat.S_ISLNK(status.st_mode):  # the mode of a link says nothing
                yield DamagedFile(name="", path=directory, code="modified-file")
            elif others_may_write(status) or status.st_uid not in trusted:
                yield DamagedFile(name="", path=directory, code="unsafe-mode")


def damaged_template_files(venv: Path, *, verify_hashes: bool = False) -> list[DamagedFile]:
    """Return every damaged file of those that `venv` created; the record of them itself if it cannot be read."""
    files = template_files(venv)
    if files is None:
        return [DamagedFile(name="", path=TEMPLATE, code="modified-file")]
    return list(_damaged(venv, "", files, verify_hashes=verify_hashes))


def _damaged(venv: Path, name: str, files: Iterable[File], *, verify_hashes: bool) -> Iterator[DamagedFile]:
    root = f"{venv}/"
    for path, size, mtime_ns, sha256, _ in files:
        try:
            status = os.lstat(root + path)
        except OSError:
            yield DamagedFile(name=name, path=path, code="missing-file")
            continue
        same = status.st_size == size and status.st_mtime_ns == mtime_ns and status.st_mode & stat.S_IRUSR
        if (verify_hashes or not same) and _digest(root + path) != sha256:
            yield DamagedFile(name=name, path=path, code="modified-file")
        elif name and status.st_mode & UNSAFE_BITS and is_unsafe_file(status):
            yield DamagedFile(name=name, path=path, code="unsafe-mode")


def is_unchanged(venv: Path, file: File) -> bool:
    """Return whether *file* is in the environment with the size and mtime that it was installed with."""
    try:
        status = os.lstat(f"{venv}/{file.path}")
    except OSError:
        return False
    return status.st_size == file.size and status.st_mtime_ns == file.mtime_ns


def _digest(path: str) -> str:
    try:
        if os.path.islink(path):
            return hashlib.sha256(os.readlink(path).encode()).hexdigest()
        return digest_of_file(path)
    except OSError:
        return ""


def unmanaged_distributions(venv: Path, site: str, installed: Mapping[str, Installed]) -> list[UnmanagedDistribution]:
    """Return the distributions in *site*, relative to *venv*, except those that are *installed*."""
    managed = {f"{dist.name}-{dist.version.lower()}" for dist in installed.values()}
    others = [
        _unmanaged(venv, site, directory)
        for directory in sorted(os.listdir(venv / site))
        if directory.endswith((".dist-info", ".egg-info")) and _normalized(directory) not in managed
    ]
    return [dist for dist in others if dist.files]  # an empty directory is no more than what an uninstall left


def _normalized(metadata: str) -> str:
    """Return `name-version` for the name of a metadata directory."""
    name, _, version = metadata.rpartition(".")[0].partition("-")
    return f"{canonicalize_name(name)}-{version.lower()}"


def _unmanaged(venv: Path, site: str, metadata: str) -> UnmanagedDistribution:
    name, _, version = metadata.rpartition(".")[0].partition("-")
    path = f"{site}/{metadata}"
    files = {path} if (venv / path).is_file() else set(_files_below(venv, path))
    files.update(_recorded_files(venv, site, metadata))
    return UnmanagedDistribution(name=canonicalize_name(name), version=version, files=tuple(sorted(files)))


def files_by_record(venv: Path, installed: Installed) -> set[str]:
    """Return the files of a distribution that its RECORD names, for one whose manifest was changed."""
    files: set[str] = set()
    for metadata in {path.rpartition("/")[0] for path in metadata_files(installed)}:
        site, _, name = metadata.rpartition("/")
        files.update(_files_below(venv, metadata), _recorded_files(venv, site, name))
    return files


def _recorded_files(venv: Path, site: str, metadata: str) -> Iterator[str]:
    """Yield the files that the RECORD in *metadata* lists, except those outside the environment and isolate's own."""
    try:
        rows = read_record(read_bounded(venv / site / metadata / "RECORD", MAX_RECORD_BYTES))
    except (OSError, ValueError):
        return
    for row in rows:
        path = os.path.normpath(os.path.join(site, row[0])) if row else ""
        if path and not path.startswith(("..", "/")) and not is_record(path):
            yield path


def _files_below(venv: Path, directory: str) -> Iterator[str]:
    for parent, directories, files in os.walk(venv / directory):
        links = [name for name in directories if os.path.islink(os.path.join(parent, name))]
        for name in files + links:
            yield os.path.relpath(os.path.join(parent, name), venv)


def unowned_files(venv: Path, owned: Iterable[str]) -> list[str]:
    """Return the user's files and links in the environment: those not *owned*, compiled from one, or isolate's own."""
    known = set(owned)
    return sorted(
        path
        for path in _files_below(venv, ".")
        if path not in known and source_of(path) not in known and not is_record(path)
    )
