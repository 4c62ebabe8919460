"""Where programs are looked for: on `PATH`, but not in environments that isolate made."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def search_path(environ: Mapping[str, str]) -> list[str]:
    """Return the directories of `PATH`, without those of environments that isolate made.

    One of them is active, perhaps of another application. Its Python runs that application's code whenever it starts;
    a build that ran its `cc`, or pip its `git`, would fill the store with the help of that code.
    """
    directories = environ.get("PATH", os.defpath).split(os.pathsep)
    kept = [directory for directory in directories if not os.path.isdir(f"{directory.rstrip('/')}/../.isolate")]
    return kept or os.defpath.split(os.pathsep)  # an empty `PATH` would be the current directory
