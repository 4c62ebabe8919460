"""Fill the store with pip: install what is missing into a prefix, then make an entry of each distribution."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_version

from isolate import fs
from isolate.errors import InvalidDistribution
from isolate.lock.artifact import is_identified, sha256_of
from isolate.lock.select import as_locked
from isolate.parallel.map import cores
from isolate.pip.report import read_report
from isolate.pip.runner import PREFIX, REPORT
from isolate.plan import Target
from isolate.store.batches import batches, concurrent_pips, partition
from isolate.store.dedupe import dedupe_files
from isolate.store.entry import same_version, write_entry_manifest
from isolate.store.ingest import ingest, read_prefix
from isolate.store.layout import entry_files, fill_lock
from isolate.store.local_copies import with_copy
from isolate.store.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from isolate.locked import LockedDistribution
    from isolate.locks import NameLocks
    from isolate.pip.report import ResolvedDistribution
    from isolate.pip.runner import Pip
    from isolate.store.entry import Entry
    from isolate.store.ingest import UnpackedDistribution
    from isolate.store.keys import EntryKeys
    from isolate.store.store import Store


class Pin(NamedTuple):
    """A requirement that allows one version, with the hashes (`algorithm:digest`) of which its artifact has one."""

    name: str
    version: str
    text: str
    hashes: frozenset[str] = frozenset()

    @property
    def line(self) -> str:
        """Return the line of a requirements file."""
        return " ".join([self.text, *(f"--hash={value}" for value in sorted(self.hashes))])


def fill(store: Store, missing: Mapping[str, LockedDistribution], pip: Pip, held: NameLocks | None = None) -> None:
    """Ensure that the store has an entry for each of *missing* (by key), installed by *pip*.

    The caller has their locks (see `Store.fill_access`). Those that are *held* in one object are released when an entry
    is published, while others are still being fetched or built. Raises `PipFailed` or `InvalidDistribution`; entries
    that were published before stay.
    """
    wanted = {key: locked for key, locked in missing.items() if not store.has(key)}
    if unknown := [locked.name for locked in wanted.values() if not is_identified(locked)]:
        raise ValueError(f"the sha256 of the artifacts of {', '.join(unknown)} is not known")
    parts = batches(wanted, cores())
    with store.scratch() as scratch:
        files = [_write_locked([*part.values()], scratch / str(number), pip) for number, part in enumerate(parts)]

        def publish_batch(number: int) -> None:
            publish_all(store, parts[number], files[number].parent / PREFIX, pip)
            if held is not None:
                held.release(lock_of(locked, pip.compat_tag) for locked in parts[number].values())

        pip.install(files, scratch, jobs=concurrent_pips(cores()), on_installed=publish_batch)


def _write_locked(wanted: Sequence[LockedDistribution], directory: Path, pip: Pip) -> Path:
    return pip.write([with_copy(locked, directory / "copies") for locked in wanted], directory)


def lock_of(locked: LockedDistribution, compat_tag: str) -> str:
    """Return the name of the lock for filling the store with *locked*, for interpreters with *compat_tag*."""
    return fill_lock(compat_tag, locked.name, locked.version, locked.source_id)


def fill_from_pins(store: Store, pins: Sequence[Pin], pip: Pip, keys: EntryKeys) -> list[ResolvedDistribution]:
    """Let *pip* install *pins* without their dependencies, and return what it reports about them.

    Afterwards the store has an entry with its key in *keys* for each pin whose artifact is known. The caller holds the
    locks of the pins. Raises the same errors as `fill`.
    """
    if any(len(pin.hashes) > 1 for pin in pins):
        return _fill_from_choices(store, pins, pip, keys)
    allowed = _by_version(pins)
    dists: list[ResolvedDistribution] = []
    with store.scratch() as scratch:
        files = _write_pins(pins, scratch, pip)

        def publish_batch(number: int) -> None:
            installed = _report(files[number])
            dists.extend(installed)
            known = [as_locked(dist) for dist in installed if _is_verified(dist, allowed)]
            publish_all(store, {keys.key(locked): locked for locked in known}, files[number].parent / PREFIX, pip)

        pip.install(files, scratch, jobs=concurrent_pips(cores()), report=True, on_installed=publish_batch)
    return dists


def _fill_from_choices(store: Store, pins: Sequence[Pin], pip: Pip, keys: EntryKeys) -> list[ResolvedDistribution]:
    """Ask *pip* which artifact of each pin it chooses, then let it demand the hash of that one alone.

    It accepts a file with any of the declared hashes, whichever file the index says it is.
    """
    with store.scratch() as scratch:
        files = _write_pins(pins, scratch, pip)
        pip.choose(files, scratch, jobs=concurrent_pips(cores()))
        dists = [dist for file in files for dist in _report(file)]
    allowed = _by_version(pins)
    declared = [dist for dist in dists if _is_declared(dist, allowed)]
    fill(store, {keys.key(locked): locked for locked in map(as_locked, declared)}, pip)
    return dists


def _by_version(pins: Sequence[Pin]) -> dict[tuple[str, str], Pin]:
    return {(pin.name, canonicalize_version(pin.version)): pin for pin in pins}


def _is_verified(dist: ResolvedDistribution, allowed: Mapping[tuple[str, str], Pin]) -> bool:
    """Return whether *pip* has compared what it installed with the sha256 that it reports.

    With a declared hash, it compares with that alone, and reports what the index says. A file on this disk may have
    changed since it was hashed.
    """
    return not dist.url.startswith("file:") and _is_declared(dist, allowed)


def _is_declared(dist: ResolvedDistribution, allowed: Mapping[tuple[str, str], Pin]) -> bool:
    """Return whether the sha256 that is reported for *dist* is known, and one that its pin in *allowed* allows."""
    digest, pin = sha256_of(dist.hashes), allowed.get((dist.name, canonicalize_version(dist.version)))
    return digest is not None and pin is not None and (not pin.hashes or f"sha256:{digest}" in pin.hashes)


def _report(requirements: Path) -> tuple[ResolvedDistribution, ...]:
    return read_report((requirements.parent / REPORT).read_text(encoding="utf-8"))


def _write_pins(pins: Sequence[Pin], scratch: Path, pip: Pip) -> list[Path]:
    """Write *pins* as requirements files for several pips, each in a directory of its own below *scratch*."""
    parts = partition({pin: pin.name for pin in pins}, cores())
    return [_write_part(part, scratch / str(number), pip) for number, part in enumerate(parts)]


def _write_part(pins: Sequence[Pin], directory: Path, pip: Pip) -> Path:
    directory.mkdir()
    path = directory / "pins.txt"
    path.write_text("".join(f"{line}\n" for line in (*pip.options, *(pin.line for pin in pins))), encoding="utf-8")
    return path


def publish_all(store: Store, wanted: Mapping[str, LockedDistribution], prefix: Path, pip: Pip) -> None:
    """Publish the entries *wanted* (by key) from what *pip* installed into *prefix*.

    Raises `InvalidDistribution` if it does not hold them.
    """
    dists = read_prefix(prefix)
    for key, locked in wanted.items():
        dist = dists.get(locked.name)
        if dist is None or not same_version(locked.version, dist.version):
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
            entry = write_entry(dist, scratch / "entry", Target(locked, key), pip, published=published)
            store.publish(entry.path, key)


def write_entry(
    dist: UnpackedDistribution, path: Path, target: Target, pip: Pip, *, published: Sequence[Entry] = ()
) -> Entry:
    """Create the entry of *dist*, which *pip* installed for *target*, in the directory *path*.

    Files that *published* entries have as well become links to theirs. Raises the same errors as `ingest`.
    """
    path.mkdir()
    files = ingest(dist, path, str(pip.python))
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
    return entry


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
