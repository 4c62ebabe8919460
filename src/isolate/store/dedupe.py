"""Files that two versions of a distribution have in common are kept once.

Most files of a new patch release are those of the one before. As they are the same file in the store, with one time,
an environment that moves from one version to the other needs to change only what really differs.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from isolate.store.manifest import LINKED, digest_of_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from isolate.store.layout import Entry
    from isolate.store.manifest import File


def share(files: Sequence[File], folder: Path, siblings: Sequence[Entry]) -> tuple[File, ...]:
    """Replace those of *files* that a sibling has too by links to it, and return what they are then.

    *files* lie in *folder*, which nobody sees yet; the first of *siblings* that has a file gives it. What was changed
    in the store after it was published is not taken.
    """
    known: dict[str, tuple[File, Path]] = {}
    for sibling in reversed(siblings):
        known |= {file.path: (file, sibling.files / file.path) for file in sibling.manifest.files}
    return tuple(_shared(file, folder / file.path, known.get(file.path)) for file in files)


def _shared(file: File, own: Path, found: tuple[File, Path] | None) -> File:
    if found is None or file.kind not in LINKED or found[0] != file._replace(mtime_ns=found[0].mtime_ns):
        return file
    theirs, path = found
    spare = f"{own}~"
    with contextlib.suppress(OSError):  # gone meanwhile, or it has all the links that it may have
        status = os.lstat(path)
        if status.st_mtime_ns == theirs.mtime_ns and digest_of_file(path) == theirs.sha256:
            os.link(path, spare)
            os.replace(spare, own)
            return theirs
    return file
