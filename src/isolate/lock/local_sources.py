"""Source trees and archives on this machine that an application installs from: have they changed?"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection

    from isolate.declarations.declared import DeclaredRequirement

METADATA_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
"""Where a build backend reads names, versions and requirements; anything more would be a guess."""


def local_path(declared: DeclaredRequirement) -> str | None:
    """Return the absolute path that something is declared to be installed from; None if it lies elsewhere."""
    if declared.path is not None:
        return str(declared.path)
    parts = urlsplit(declared.url or "")
    return unquote(parts.path) if parts.scheme == "file" else None


def metadata_digests(paths: Collection[str]) -> dict[str, str]:
    """Return for each source tree a digest (hex) of the files that its metadata is made from, for each archive its own.

    The latter is a sha256, as a lock has it. Whatever is gone is left out.
    """
    found = {path: _archive_digest(path) for path in paths if os.path.isfile(path) and os.access(path, os.R_OK)}
    return found | {path: metadata_digest(path) for path in paths if os.path.isdir(path)}


def metadata_digest(path: str) -> str:
    """Return a digest (hex) of the files that the metadata of the source tree *path* is made from."""
    digest = hashlib.sha256()
    for name in METADATA_FILES:
        try:
            digest.update(f"{name}\n".encode() + Path(path, name).read_bytes())
        except OSError:
            continue
    return digest.hexdigest()


def _archive_digest(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def content_digest(path: str) -> str:
    """Return a digest (hex) of names, sizes and times of all files of a source tree that may be installed from.

    Hidden and generated directories do not count.
    """
    digest = hashlib.sha256()
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(one for one in folders if not one.startswith(".") and one not in GENERATED)
        for name in sorted(files):
            status = os.lstat(os.path.join(folder, name))
            digest.update(f"{os.path.relpath(folder, path)}/{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


GENERATED = frozenset({"__pycache__", "build", "dist", "node_modules"})
