"""Source trees and archives on this machine that an application installs from: find them, and tell when they change."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from isolate.bounded_read import read_bounded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from isolate.declarations.declared import DeclaredRequirement
    from isolate.locked import LockedDistribution

METADATA_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
"""Where a build backend reads names, versions and requirements. Any other file would be a guess."""

GENERATED_DIRECTORIES = frozenset({"__pycache__", "build", "dist", "node_modules"})

CHUNK_SIZE = 1 << 20


def local_path(declared: DeclaredRequirement) -> str | None:
    """Return the absolute path of the source tree or archive that *declared* names; None if it is not local."""
    return path_of_url(declared.url or "") if declared.path is None else str(declared.path)


def path_of_url(url: str) -> str | None:
    """Return the path that *url* names; None if it is not a `file:` URL."""
    parts = urlsplit(url)
    return unquote(parts.path) if parts.scheme == "file" else None


def metadata_digests(paths: Collection[str]) -> dict[str, str]:
    """Return a digest (hex) for each of *paths* that exists, by path.

    That of a source tree covers the files that its metadata comes from. That of an archive is its sha256, as in a lock.
    """
    archives = {path: _archive_digest(path) for path in paths if os.path.isfile(path) and os.access(path, os.R_OK)}
    return archives | {path: metadata_digest(path) for path in paths if os.path.isdir(path)}


def changed_sources(
    locked: Iterable[LockedDistribution], recorded: Mapping[str, str], current: Mapping[str, str]
) -> Iterator[str]:
    """Yield a line for each local source of *locked* that has changed since it was locked.

    *recorded* has a digest for each source tree by the name of its distribution, *current* what `metadata_digests`
    returns. A missing archive has not changed: the store may still have what was installed from it.
    """
    for dist in locked:
        path, digest = dist.directory, recorded.get(dist.name)
        if path is not None and digest is not None and current.get(path) != digest:
            yield f"the metadata of {dist.name} ({path}) changed"
        archive = dist.table.get("archive", {})
        path, digest = archive.get("path"), archive.get("hashes", {}).get("sha256")
        if digest is not None and current.get(path, digest) != digest:
            yield f"the archive of {dist.name} ({path}) changed"


def metadata_digest(path: str) -> str:
    """Return a digest (hex) of the files that the metadata of the source tree *path* comes from."""
    digest = hashlib.sha256()
    for name in METADATA_FILES:
        try:
            digest.update(f"{name}\n".encode() + read_bounded(f"{path}/{name}"))
        except OSError:
            continue
    return digest.hexdigest()


def content_digest(path: str) -> str:
    """Return a digest (hex) of the names, sizes and mtimes of all files in the source tree *path*.

    Hidden and generated directories are skipped: nothing is installed from them.
    """
    digest = hashlib.sha256()
    for directory, subdirectories, files in os.walk(path):
        subdirectories[:] = sorted(name for name in subdirectories if _is_installed_from(name))
        for name in sorted(files):
            status = os.lstat(os.path.join(directory, name))
            relative = os.path.relpath(directory, path)
            digest.update(f"{relative}/{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _is_installed_from(directory_name: str) -> bool:
    return not directory_name.startswith(".") and directory_name not in GENERATED_DIRECTORIES


def _archive_digest(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK_SIZE):
            digest.update(chunk)
    return digest.hexdigest()
