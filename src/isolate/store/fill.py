"""Fill the store with pip: install what is missing into a prefix, then make an entry of each distribution."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from packaging.version import Version

from isolate import fs
from isolate.errors import InvalidDistribution
from isolate.lock.select import as_locked
from isolate.parallel.map import cores
from isolate.pip.report import read_report
from isolate.pip.runner import PREFIX, REPORT
from isolate.store.batches import batches, concurrent_pips, partition
from isolate.store.dedupe import dedupe_files
from isolate.store.ingest import ingest, read_prefix
from isolate.store.layout import entry_files, entry_key, entry_manifest, fill_lock
from isolate.store.manifest import Manifest, write_manifest
from isolate.store.store import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from isolate.locked import LockedDistribution
    from isolate.locks import NameLocks
    from isolate.pip.report import ResolvedDistribution
    from isolate.pip.runner import Pip
    from isolate.store.ingest import UnpackedDistribution
    from isolate.store.store import Store


def fill(store: Store, missing: Mapping[str, LockedDistribution], pip: Pip, held: NameLocks) -> None:
    """Ensure that the store has an entry for each of *missing* (by key), installed by *pip*.

    The caller has the locks *held* (see `Store.fill_access`). Those of entries that are published are released at once,
    while others are still being fetched or built. Raises `PipFailed` or `InvalidDistribution`; entries that were
    published before stay.
    """
    parts = batches({key: locked for key, locked in missing.items() if not store.has(key)}, cores())
    with store.scratch() as scratch:
        files = [pip.write([*part.values()], scratch / str(number)) for number, part in enumerate(parts)]

        def publish_batch(number: int) -> None:
            publish_all(store, parts[number], files[number].parent / PREFIX, pip)
            held.release(lock_of(locked, pip.compat_tag) for locked in parts[number].values())

        pip.install(files, scratch, jobs=concurrent_pips(cores()), on_installed=publish_batch)


def lock_of(locked: LockedDistribution, compat_tag: str) -> str:
    """Return the name of the lock for filling the store with *locked*, for interpreters with *compat_tag*."""
    return fill_lock(compat_tag, locked.name, locked.version, locked.source_id)


def fill_from_pins(store: Store, lines: Mapping[tuple[str, str], str], pip: Pip) -> list[ResolvedDistribution]:
    """Let *pip* install pins without their dependencies, and return what it reports about them.

    *lines* has a line of a requirements file for each pin, by name and version. Afterwards the store has an entry for
    each pin that has a hash. The caller holds the locks of the pins. Raises the same errors as `fill`.
    """
    dists: list[ResolvedDistribution] = []
    parts = partition({pin: pin[0] for pin in lines}, cores())
    with store.scratch() as scratch:
        files = [
            _write_pins([lines[pin] for pin in part], scratch / str(number), pip) for number, part in enumerate(parts)
        ]

        def publish_batch(number: int) -> None:
            directory = files[number].parent
            installed = read_report((directory / REPORT).read_text(encoding="utf-8"))
            dists.extend(installed)
            locked = [as_locked(dist) for dist in installed if dist.hashes]
            keys = (entry_key(pip.compat_tag, dist.name, dist.version, dist.source_id) for dist in locked)
            publish_all(store, dict(zip(keys, locked, strict=True)), directory / PREFIX, pip)

        pip.install(files, scratch, jobs=concurrent_pips(cores()), report=True, on_installed=publish_batch)
    return dists


def _write_pins(lines: Sequence[str], directory: Path, pip: Pip) -> Path:
    directory.mkdir()
    path = directory / "pins.txt"
    path.write_text("".join(f"{line}\n" for line in (*pip.options, *lines)), encoding="utf-8")
    return path


def publish_all(store: Store, wanted: Mapping[str, LockedDistribution], prefix: Path, pip: Pip) -> None:
    """Publish the entries *wanted* (by key) from what *pip* installed into *prefix*.

    Raises `InvalidDistribution` if it does not hold them.
    """
    dists = read_prefix(prefix)
    for key, locked in wanted.items():
        dist = dists.get(locked.name)
        if dist is None or not _same_version(locked.version, dist.version):
            facts = (f"locked: {locked.name} {locked.version}", f"installed: {dist or 'nothing of that name'}")
            raise InvalidDistribution(
                f"the artifact locked for {locked.name} contains a different package or version",
                facts=facts,
                hint="run `isolate lock`",
            )
        if not locked.is_direct:
            dist = _without_direct_url(dist)
        with store.scratch() as scratch:
            published = store.newest_entries(pip.compat_tag, locked.name)
            entry = write_entry(dist, scratch / "entry", locked.source_id, pip, published=published)
            store.publish(entry.path, key)


def write_entry(
    dist: UnpackedDistribution, path: Path, source_id: str, pip: Pip, *, published: Sequence[Entry] = ()
) -> Entry:
    """Create the entry of *dist*, which *pip* installed from *source_id*, in the directory *path*.

    Files that *published* entries have as well become links to theirs. Raises the same errors as `ingest`.
    """
    path.mkdir()
    files = ingest(dist, path, str(pip.python))
    manifest = Manifest(
        name=dist.name,
        version=dist.version,
        source_id=source_id,
        compat_tag=pip.compat_tag,
        pip=pip.version,
        files=dedupe_files(files, entry_files(path), published),
    )
    write_manifest(manifest, entry_manifest(path))
    fs.write_back([f"{entry_files(path)}/{file.path}" for file in manifest.files])
    return Entry(path=path, manifest=manifest)


def _same_version(locked: str | None, installed: str) -> bool:
    """Return whether the *installed* version is the *locked* one, whose spelling may differ (PEP 440)."""
    return locked is None or Version(locked) == Version(installed)


def _without_direct_url(dist: UnpackedDistribution) -> UnpackedDistribution:
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
