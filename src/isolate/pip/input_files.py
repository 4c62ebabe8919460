"""Write the file that tells pip which locked distributions to install.

A pip that can read `pylock.toml` gets one, and then needs no index page. An older pip gets a requirements file with
lines `name @ URL` (PEP 508) and the hash that must match; it needs no index page either.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from isolate.locked import LockedDistribution

READS_LOCKS = Version("26.1")
"""The first pip that accepts a `pylock.toml` after `--requirement`."""


def write_input_file(
    wanted: Sequence[LockedDistribution], directory: Path, *, pip_version: Version, options: Sequence[str]
) -> Path:
    """Write a file into *directory* that makes pip install exactly *wanted*, and return its path, for `-r`.

    *options* are index options, each a line of a requirements file. A lock cannot hold them.
    """
    if pip_version >= READS_LOCKS and not options:
        path = directory / "pylock.toml"
        path.write_bytes(tomli_w.dumps(partial_lock(wanted)).encode())
    else:
        path = directory / "requirements.txt"
        path.write_text("".join(f"{line}\n" for line in (*options, *map(requirement_line, wanted))), encoding="utf-8")
    return path


def partial_lock(wanted: Sequence[LockedDistribution]) -> dict[str, Any]:
    """Return *wanted* as the table of a `pylock.toml` (PEP 751)."""
    return {"lock-version": "1.0", "created-by": "isolate", "packages": [dict(locked.table) for locked in wanted]}


def requirement_line(locked: LockedDistribution) -> str:
    """Return a line of a requirements file for the one artifact of *locked*."""
    table = locked.table
    if vcs := table.get("vcs"):
        repository = vcs.get("url") or Path(vcs["path"]).as_uri()
        return f"{locked.name} @ {vcs['type']}+{repository}@{vcs['commit-id']}{_fragment(vcs)}"
    if directory := table.get("directory"):
        url = Path(directory["path"]).as_uri() + _fragment(directory)
        return f"-e {url}" if locked.editable else f"{locked.name} @ {url}"
    wheels = table.get("wheels", ())
    source: Mapping[str, Any] = wheels[0] if wheels else table.get("sdist") or table["archive"]
    url = source.get("url") or Path(source["path"]).as_uri()
    hashes = "".join(f" --hash={algorithm}:{digest}" for algorithm, digest in sorted(source["hashes"].items()))
    return f"{locked.name} @ {url}{_fragment(source)}{hashes}"


def _fragment(source: Mapping[str, Any]) -> str:
    return f"#subdirectory={source['subdirectory']}" if source.get("subdirectory") else ""
