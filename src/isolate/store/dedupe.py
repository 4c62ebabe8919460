"""Keep a file that several versions of a distribution have in common only once.

Most files of a patch release are those of the release before. As they are one file in the store, with one mtime, an
environment that changes from one version to the other replaces only the files that differ.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from isolate.store.manifest import LINKED, digest_of_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from isolate.store.entry import Entry
    from isolate.store.manifest import File


def dedupe_files(files: Sequence[File], directory: Path, published: Sequence[Entry]) -> tuple[File, ...]:
    """Replace *files* by hard links to the same files of *published* entries; return the files with their new mtimes.

    *files* are in *directory*, which no other process knows yet. If several entries have a file, the first one counts.
    A file that was changed after its entry was published is not linked.
    """
    originals: dict[str, tuple[File, Path]] = {}
    for entry in reversed(published):
        originals |= {file.path: (file, entry.files / file.path) for file in entry.manifest.files}
    return tuple(_dedupe_file(file, directory / file.path, originals.get(file.path)) for file in files)


def _dedupe_file(file: File, path: Path, original: tuple[File, Path] | None) -> File:
    if original is None or file.kind not in LINKED:
        return file
    original_file, original_path = original
    if file != original_file._replace(mtime_ns=file.mtime_ns):
        return file
    link = f"{path}~"
    with contextlib.suppress(OSError):  # the original was deleted meanwhile, or has as many links as it may have
        status = os.lstat(original_path)
        if status.st_mtime_ns == original_file.mtime_ns and digest_of_file(original_path) == file.sha256:
            os.link(original_path, link)
            os.replace(link, path)
            return original_file
    return file
