"""The hashes of artifacts without a stated sha256: pip downloads them, and isolate hashes what it got.

What was found is kept for artifacts that a hash identifies otherwise, so that they are downloaded once.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from isolate import fs
from isolate.bounded_read import read_json
from isolate.errors import InvalidDistribution
from isolate.lock.artifact import sha256_of
from isolate.parallel.map import cores
from isolate.pip.input_files import download_line
from isolate.pip.runner import DOWNLOADS
from isolate.store.batches import concurrent_pips

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from isolate.locked import LockedDistribution
    from isolate.pip.runner import Pip
    from isolate.store.store import Store

ALGORITHMS = ("sha256", "sha512", "sha384", "sha224", "sha1", "md5")


def downloaded_hashes(store: Store, wanted: Sequence[LockedDistribution], pip: Pip) -> list[dict[str, str]]:
    """Return the hashes (hex) of the artifact of each of *wanted*, by algorithm, as *pip* downloads it.

    Raises `PipFailed` if it cannot be downloaded.
    """
    options = [option for option in pip.options if option != "--require-hashes"]
    with store.scratch() as scratch:
        files = []
        for number, locked in enumerate(wanted):
            directory = scratch / str(number)
            directory.mkdir()
            files.append(directory / "requirements.txt")
            lines = (*options, download_line(pip.with_credentials(locked)))
            files[-1].write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        pip.download(files, scratch, jobs=concurrent_pips(cores()))
        return [_hashes_of(next((file.parent / DOWNLOADS).iterdir())) for file in files]


def _hashes_of(path: Path) -> dict[str, str]:
    digests = {algorithm: hashlib.new(algorithm, usedforsecurity=False) for algorithm in ALGORITHMS}
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            for digest in digests.values():
                digest.update(chunk)
    return {algorithm: digest.hexdigest() for algorithm, digest in digests.items()}


def ensure_hashes(locked: LockedDistribution, found: Mapping[str, str], declared: Iterable[str]) -> None:
    """Raise `InvalidDistribution` unless the *found* hashes are those that are locked, and one of them is *declared*.

    *declared* has hashes as `algorithm:digest`; none if the declarations leave it open.
    """
    known = {} if locked.artifact is None else locked.artifact.get("hashes", {})
    wrong = [algorithm for algorithm, digest in known.items() if found.get(algorithm) != digest.lower()]
    facts = tuple(
        f"{algorithm}: {known[algorithm]} is locked, the file has {found.get(algorithm)}" for algorithm in wrong
    )
    declared = frozenset(declared)
    if declared and declared.isdisjoint(f"{algorithm}:{digest}" for algorithm, digest in found.items()):
        facts += (f"declared: {', '.join(sorted(declared))}", f"the file has sha256:{found['sha256']}")
    if facts:
        raise InvalidDistribution(
            f"the artifact of {locked.name} does not have the hash that is demanded",
            facts=facts,
            hint="find out which is right before you change the hash",
        )


def recorded_hashes(store: Store, locked: LockedDistribution) -> dict[str, str] | None:
    """Return the hashes that an artifact with those that are *locked* was found to have; None if none was recorded."""
    try:
        found: dict[str, str] = read_json(store.find(_path(store, locked)))
        return found if sha256_of(found) else None
    except (OSError, ValueError, AttributeError):
        return None


def record_hashes(store: Store, locked: LockedDistribution, found: Mapping[str, str]) -> None:
    """Record that the artifact of *locked* was *found* to have these hashes."""
    path = _path(store, locked)
    path.parent.mkdir(exist_ok=True)
    fs.write(path, json.dumps(found).encode(), staging=store.paths.tmp)


def _path(store: Store, locked: LockedDistribution) -> Path:
    artifact = locked.artifact or {}
    facts = (locked.name, artifact.get("url"), artifact.get("path"), sorted(artifact.get("hashes", {}).items()))
    return store.paths.artifact_hashes(repr(facts))
