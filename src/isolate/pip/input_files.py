"""How a part of a lock is said to pip.

A pip that can read `pylock.toml` gets one, and then needs no index page. An older pip gets lines `name @ address` (PEP
508) with the hash that must be met; it needs no index page either.
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
"""The first pip that takes a `pylock.toml` after `--requirement`."""


def write_partial(
    wanted: Sequence[LockedDistribution], folder: Path, *, pip_version: Version, options: Sequence[str]
) -> Path:
    """Write into *folder* what makes pip install exactly *wanted*, and return the file to name after `-r`.

    *options* are index options as a requirements file has them.
    """
    if pip_version >= READS_LOCKS and not options:
        path = folder / "pylock.toml"
        path.write_bytes(tomli_w.dumps(partial_lock(wanted)).encode())
    else:
        path = folder / "requirements.txt"
        path.write_text("".join(f"{line}\n" for line in (*options, *map(requirement_line, wanted))), encoding="utf-8")
    return path


def partial_lock(wanted: Sequence[LockedDistribution]) -> dict[str, Any]:
    """Return *wanted* as a `pylock.toml` table, PEP 751."""
    return {"lock-version": "1.0", "created-by": "isolate", "packages": [dict(one.table) for one in wanted]}


def requirement_line(locked: LockedDistribution) -> str:
    """Return *locked* as a line of a requirements file that names its one artifact."""
    table = locked.table
    if vcs := table.get("vcs"):
        where = vcs.get("url") or Path(vcs["path"]).as_uri()
        return f"{locked.name} @ {vcs['type']}+{where}@{vcs['commit-id']}{_fragment(vcs)}"
    if directory := table.get("directory"):
        address = Path(directory["path"]).as_uri() + _fragment(directory)
        return f"-e {address}" if locked.editable else f"{locked.name} @ {address}"
    wheels = table.get("wheels", ())
    source: Mapping[str, Any] = wheels[0] if wheels else table.get("sdist") or table["archive"]
    address = source.get("url") or Path(source["path"]).as_uri()
    hashes = "".join(f" --hash={name}:{value}" for name, value in sorted(source["hashes"].items()))
    return f"{locked.name} @ {address}{_fragment(source)}{hashes}"


def _fragment(source: Mapping[str, Any]) -> str:
    return f"#subdirectory={source['subdirectory']}" if source.get("subdirectory") else ""
