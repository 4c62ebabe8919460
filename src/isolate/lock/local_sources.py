"""Source trees and archives on this machine that an application installs from: find them, and tell when they change."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from isolate.bounded_read import read_bounded
from isolate.errors import DeclarationError
from isolate.lock.metadata_files import METADATA_FILES, named_by_backend, named_by_project

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from packaging.pylock import Pylock

    from isolate.declarations.declared import DeclaredRequirement
    from isolate.locked import LockedDistribution

METADATA_OF = "the metadata of"

GENERATED_DIRECTORIES = frozenset({"__pycache__", "build", "dist", "node_modules"})

LOCK = "pylock.toml"

CHUNK_SIZE = 1 << 20

MAX_TREE_FILES = 50_000
"""Files and directories of a source tree; one of the largest, that of CPython, has ten thousand."""


def local_path(declared: DeclaredRequirement) -> str | None:
    """Return the absolute path of the source tree or archive that *declared* names; None if it is not local."""
    return path_of_url(declared.url or "") if declared.path is None else str(declared.path)


def path_of_url(url: str) -> str | None:
    """Return the path that *url* names; None if it is not a `file:` URL."""
    parts = urlsplit(url)
    return unquote(parts.path) if parts.scheme == "file" else None


def locked_trees(lock: Pylock, root: str) -> list[str]:
    """Return the absolute paths of the source trees in *lock*, whose relative paths start from *root*."""
    paths = [package.directory.path for package in lock.packages if package.directory is not None]
    return [os.path.normpath(os.path.join(root, path)) for path in paths]


def metadata_digests(paths: Collection[str]) -> dict[str, str]:
    """Return a digest (hex) for each of *paths* that exists, by path.

    That of a source tree covers the files that its metadata comes from. That of an archive is its sha256, as in a lock.
    """
    archives = {path: _archive_digest(path) for path in paths if os.path.isfile(path) and os.access(path, os.R_OK)}
    return archives | {path: metadata_digest(path) for path in paths if os.path.isdir(path)}


def is_about_metadata(reason: str) -> bool:
    """Return whether *reason*, a line of `changed_sources`, says that only a build can tell the metadata of a tree."""
    return reason.startswith(METADATA_OF)


def changed_sources(
    locked: Iterable[LockedDistribution], recorded: Mapping[str, str], current: Mapping[str, str]
) -> Iterator[str]:
    """Yield a line for each local source of *locked* that has changed since it was locked.

    *recorded* has a digest for each source tree by the name of its distribution, *current* what `metadata_digests`
    returns. A missing archive has not changed: the store may still have what was installed from it.
    """
    for dist in locked:
        path, digest = dist.directory, recorded.get(dist.name)
        if path is not None and digest is not None and not is_same_metadata(digest, current.get(path)):
            yield f"{METADATA_OF} {dist.name} ({path}) changed"
        archive = dist.table.get("archive", {})
        path, digest = archive.get("path"), archive.get("hashes", {}).get("sha256")
        if digest is not None and current.get(path, digest) != digest:
            yield f"the archive of {dist.name} ({path}) changed"


def metadata_digest(path: str) -> str:
    """Return a digest (hex) of the files that the metadata of the source tree *path* comes from.

    If the project names files of its own, their digest follows after `+`, then, after another one, that of the files
    that its build backend names. Locks of earlier versions lack the last one, or both.
    """
    parts = (METADATA_FILES, named_by_project(path), named_by_backend(path))
    return "+".join(_digest_of(path, names) if names else "" for names in parts).rstrip("+")


def _digest_of(path: str, names: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for name in names:
        try:
            digest.update(f"{name}\n".encode() + read_bounded(f"{path}/{name}"))
        except OSError:
            continue
    return digest.hexdigest()


def is_same_metadata(recorded: str, current: str | None) -> bool:
    """Return whether the `metadata_digest` *current* is the *recorded* one, as far as that goes."""
    if current is None:
        return False
    parts, known = current.split("+"), recorded.split("+")
    return [*parts, "", ""][: len(known)] == known


def content_digest(path: str) -> str:
    """Return a digest (hex) of the names, sizes and mtimes of all files in the source tree *path*.

    Hidden and generated directories are skipped: nothing is installed from them. So is the lock in *path*, which the
    same sync may write. Raises `DeclarationError` for a tree of more than `MAX_TREE_FILES` files and directories: a
    lock may name the root of the file system.
    """
    digest = hashlib.sha256()
    seen = 0
    for directory, subdirectories, files in os.walk(path):
        seen += len(files) + len(subdirectories)
        if seen > MAX_TREE_FILES:
            hint = "name the directory of one project in the declarations and in the lock"
            raise DeclarationError(f"{path} has more than {MAX_TREE_FILES} files: it is not a source tree", hint=hint)
        subdirectories[:] = sorted(name for name in subdirectories if _is_installed_from(name))
        for name in sorted(files):
            if name == LOCK and directory == path:
                continue
            status = os.lstat(os.path.join(directory, name))
            relative = os.path.relpath(directory, path)
            digest.update(f"{relative}/{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _is_installed_from(directory_name: str) -> bool:
    is_generated = directory_name in GENERATED_DIRECTORIES or directory_name.endswith(".egg-info")
    return not directory_name.startswith(".") and not is_generated


def _archive_digest(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK_SIZE):
            digest.update(chunk)
    return digest.hexdigest()
