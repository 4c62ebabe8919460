"""Private copies of wheels on this disk, so that what pip hashes is what it installs.

pip reads a local file twice, once to hash it and once to unpack it. Another process may change it in between; a copy
that only this process knows stays as it was hashed.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from isolate.lock.local_sources import path_of_url

if TYPE_CHECKING:
    from pathlib import Path

    from isolate.locked import LockedDistribution


def with_copy(locked: LockedDistribution, directory: Path) -> LockedDistribution:
    """Return *locked* with a copy of its wheel below *directory*, if it is a wheel on this disk.

    What the user declared by its URL or path stays where it is: its `direct_url.json` names that place. A file that
    cannot be read stays, too, so that pip reports it.
    """
    artifact = locked.artifact
    if artifact is None or locked.is_direct or locked.is_built:
        return locked
    source = artifact.get("path") or path_of_url(str(artifact.get("url")))
    if source is None:
        return locked
    copy = directory / locked.name / os.path.basename(source)
    try:
        copy.parent.mkdir(parents=True)
        shutil.copyfile(source, copy)
    except OSError:
        return locked
    own = {key: value for key, value in artifact.items() if key != "url"} | {"path": str(copy)}
    return locked._replace(table={**locked.table, "wheels": [own]})
