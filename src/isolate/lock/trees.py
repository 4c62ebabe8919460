"""Source trees that an application installs from: has their metadata changed?"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

METADATA_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
"""Where a build backend reads names, versions and requirements; anything more would be a guess."""


def metadata_digests(paths: Iterable[str]) -> dict[str, str]:
    """Return for each source tree a digest (hex) of the files that its metadata is made from."""
    return {path: metadata_digest(path) for path in paths}


def metadata_digest(path: str) -> str:
    """Return a digest (hex) of the files that the metadata of the source tree *path* is made from."""
    digest = hashlib.sha256()
    for name in METADATA_FILES:
        try:
            digest.update(f"{name}\n".encode() + Path(path, name).read_bytes())
        except OSError:
            continue
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
