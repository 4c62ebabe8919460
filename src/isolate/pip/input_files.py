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

STRONGEST_FIRST = ("sha256", "sha512", "sha384", "sha224", "sha1", "md5")
ACCEPTED_BY_OPTION = ("sha256", "sha512", "sha384")
"""The algorithms that pip accepts after `--hash` (`pip._internal.utils.hashes.STRONG_HASHES`)."""

READS_LOCKS = Version("26.1")
"""The first pip that accepts a `pylock.toml` after `--requirement`."""


def write_input_file(
    wanted: Sequence[LockedDistribution], directory: Path, *, as_lock: bool, options: Sequence[str] = ()
) -> Path:
    """Write a file into *directory* that makes pip install exactly *wanted*, and return its path, for `-r`.

    *options* are index options, each a line of a requirements file. With *as_lock*, the file is a `pylock.toml`, which
    cannot hold them.
    """
    if as_lock:
        path = directory / "pylock.toml"
        path.write_bytes(tomli_w.dumps(partial_lock(wanted)).encode())
    else:
        path = directory / "requirements.txt"
        path.write_text("".join(f"{line}\n" for line in (*options, *map(requirement_line, wanted))), encoding="utf-8")
    return path


def partial_lock(wanted: Sequence[LockedDistribution]) -> dict[str, Any]:
    """Return *wanted* as the table of a `pylock.toml` (PEP 751)."""
    return {"lock-version": "1.0", "created-by": "isolate", "packages": [_with_one_hash(locked) for locked in wanted]}


def _with_one_hash(locked: LockedDistribution) -> dict[str, Any]:
    """Return the table of *locked* with one hash: pip accepts a file that has any of the hashes it gets."""
    table = dict(locked.table)
    if (artifact := locked.artifact) is not None:
        [kind] = [key for key in ("wheels", "sdist", "archive") if table.get(key)]
        one = {**artifact, "hashes": {"sha256": _sha256(locked)}}
        table[kind] = [one] if kind == "wheels" else one
    return table


def requirement_line(locked: LockedDistribution) -> str:
    """Return a line of a requirements file for the one artifact of *locked*."""
    table = locked.table
    if vcs := table.get("vcs"):
        repository = vcs.get("url") or Path(vcs["path"]).as_uri()
        return f"{locked.name} @ {vcs['type']}+{repository}@{vcs['commit-id']}{_fragment(vcs)}"
    if directory := table.get("directory"):
        url = Path(directory["path"]).as_uri() + _fragment(directory)
        return f"-e {url}" if locked.editable else f"{locked.name} @ {url}"
    source = locked.artifact or {}
    return f"{locked.name} @ {_url(source)}{_fragment(source)} --hash=sha256:{_sha256(locked)}"


def download_line(locked: LockedDistribution) -> str:
    """Return a line of a requirements file for the artifact of *locked*, whatever hashes of it are known.

    pip demands the strongest of them. Those that its option `--hash` does not accept are part of the URL.
    """
    source = locked.artifact or {}
    hashes: Mapping[str, str] = source.get("hashes", {})
    line = f"{locked.name} @ {_url(source)}"
    for algorithm in (algorithm for algorithm in STRONGEST_FIRST if algorithm in hashes):
        if algorithm in ACCEPTED_BY_OPTION:
            return f"{line} --hash={algorithm}:{hashes[algorithm]}"
        return f"{line}#{algorithm}={hashes[algorithm]}"
    return line


def _sha256(locked: LockedDistribution) -> str:
    """Return the sha256 (hex) that identifies the artifact of *locked*, whatever else its table says."""
    algorithm, _, digest = locked.source_id.partition("#")[0].partition(":")
    return digest if algorithm == "sha256" else str((locked.artifact or {})["hashes"]["sha256"])


def _url(source: Mapping[str, Any]) -> str:
    return str(source.get("url") or Path(source["path"]).as_uri())


def _fragment(source: Mapping[str, Any]) -> str:
    return f"#subdirectory={source['subdirectory']}" if source.get("subdirectory") else ""
