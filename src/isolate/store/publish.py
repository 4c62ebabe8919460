"""Publish what pip installed into a prefix as entries of the store."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from isolate import fs
from isolate.errors import InvalidDistribution
from isolate.plan import Target
from isolate.store.dedupe import dedupe_files
from isolate.store.entry import same_version, write_entry_manifest
from isolate.store.ingest import ingest, record_warning
from isolate.store.layout import entry_files
from isolate.store.manifest import Manifest
from isolate.store.unpacked import read_prefix, with_shared_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from isolate.locked import LockedDistribution
    from isolate.pip.runner import Pip
    from isolate.store.entry import Entry
    from isolate.store.store import Store
    from isolate.store.unpacked import UnpackedDistribution


def publish_all(
    store: Store, wanted: Mapping[str, LockedDistribution], prefix: Path, pip: Pip
) -> dict[str, LockedDistribution]:
    """Publish the entries *wanted* (by key) from what *pip* installed into *prefix*, and return the others.

    Those are to be installed again, each into a prefix of its own: they share a file with another distribution in this
    one, or differ from their RECORD, as they would if another one had overwritten a file. Raises `InvalidDistribution`
    if *prefix* does not hold what is wanted.
    """
    dists = read_prefix(prefix)
    shared = with_shared_files(dists.values())
    again: dict[str, LockedDistribution] = {}
    for key, locked in wanted.items():
        dist = _wanted(dists, locked)
        if dist.name in shared or not _publish(store, dist, Target(locked, key), pip, is_alone=len(dists) == 1):
            again[key] = locked
    return again


def _wanted(dists: Mapping[str, UnpackedDistribution], locked: LockedDistribution) -> UnpackedDistribution:
    """Return which of *dists* is the one that is *locked*; raise `InvalidDistribution` if none is."""
    dist = dists.get(locked.name)
    if dist is None or not same_version(locked.version, dist.version):
        facts = (f"locked: {locked.name} {locked.version}", f"installed: {dist or 'nothing of that name'}")
        raise InvalidDistribution(
            f"the artifact locked for {locked.name} contains a different package or version",
            facts=facts,
            hint="run `isolate lock`",
        )
    return dist if locked.is_direct else without_direct_url(dist)


def _publish(store: Store, dist: UnpackedDistribution, target: Target, pip: Pip, *, is_alone: bool) -> bool:
    """Publish the entry of *dist*, and return whether it was; not if it differs from its RECORD and is not alone."""
    with store.scratch() as scratch:
        published = store.newest_entries(pip.compat_tag, target.name)
        entry, faults = write_entry(dist, scratch / "entry", target, pip, published=published)
        if faults and not is_alone:
            return False
        say_faults(dist, faults, pip)
        store.publish(entry.path, target.key)
    return True


def write_entry(
    dist: UnpackedDistribution, path: Path, target: Target, pip: Pip, *, published: Sequence[Entry] = ()
) -> tuple[Entry, tuple[str, ...]]:
    """Create the entry of *dist*, which *pip* installed for *target*, in the directory *path*.

    Files that *published* entries have as well become links to theirs. Returns the entry, and the faults of the RECORD
    of *dist*. Raises the same errors as `ingest`.
    """
    path.mkdir()
    files, faults = ingest(dist, path, str(pip.python))
    manifest = Manifest(
        name=dist.name,
        version=dist.version,
        source_id=target.locked.source_id,
        compat_tag=pip.compat_tag,
        pip=pip.version,
        files=dedupe_files(files, entry_files(path), published),
    )
    entry = write_entry_manifest(manifest, path, target.key)
    fs.write_back([f"{entry_files(path)}/{file.path}" for file in manifest.files])
    return entry, faults


def say_faults(dist: UnpackedDistribution, faults: Sequence[str], pip: Pip) -> None:
    """Tell the user of *pip* how the RECORD of *dist* differs from what pip unpacked, if it does."""
    if faults:
        pip.progress.say(record_warning(dist, faults))


def without_direct_url(dist: UnpackedDistribution) -> UnpackedDistribution:
    """Delete the `direct_url.json` of *dist* and return it without that file.

    An older pip writes one because isolate passes it the URL of each artifact. PEP 610 allows it only if the user
    required the distribution by URL.
    """
    path = f"{os.path.dirname(dist.record)}/direct_url.json"
    if path not in dist.recorded_hashes:
        return dist
    with contextlib.suppress(FileNotFoundError):
        (dist.prefix / path).unlink()
    record = dist.prefix / dist.record
    rows = record.read_text(encoding="utf-8").splitlines(keepends=True)
    record.write_text("".join(row for row in rows if "/direct_url.json," not in row), encoding="utf-8")
    hashes = {other: digest for other, digest in dist.recorded_hashes.items() if other != path}
    return dist._replace(recorded_hashes=hashes)
