"""Fill the store with pip: install what is missing into a prefix, then make an entry of each distribution.

Several distributions share a prefix, because a pip takes a tenth of a second to start. Those that have a file in common
overwrite each other there, so each of them is installed again, alone. Nothing that is published has been overwritten.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_version

from isolate.errors import PipFailed
from isolate.lock.artifact import is_identified, sha256_of
from isolate.lock.select import as_locked
from isolate.parallel.map import cores
from isolate.pip.report import read_report
from isolate.pip.runner import PREFIX, REPORT
from isolate.store.batches import batches, concurrent_pips, partition
from isolate.store.layout import fill_lock
from isolate.store.local_copies import with_copy
from isolate.store.publish import publish_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from isolate.locked import LockedDistribution
    from isolate.locks import NameLocks
    from isolate.pip.report import ResolvedDistribution
    from isolate.pip.runner import Pip
    from isolate.store.keys import EntryKeys
    from isolate.store.store import Store

OBSTRUCTED = re.compile(r"\[Errno (?:17|20|21)\]")
"""Matches what pip prints if a file exists, is not a directory, or is one (EEXIST, ENOTDIR, EISDIR)."""


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
    try:
        again = _fill_together(store, batches(wanted, cores()), pip, held)
    except PipFailed as error:
        if len(wanted) == 1 or not is_obstructed(error):
            raise
        again = {key: locked for key, locked in wanted.items() if not store.has(key)}
    _fill_apart(store, again, pip)


def _fill_together(
    store: Store, parts: Sequence[Mapping[str, LockedDistribution]], pip: Pip, held: NameLocks | None = None
) -> dict[str, LockedDistribution]:
    """Install each of *parts* into a prefix of its own, and publish what is in it. Return what `publish_all` left."""
    again: dict[str, LockedDistribution] = {}
    with store.scratch() as scratch:
        files = [_write_locked([*part.values()], scratch / str(number), pip) for number, part in enumerate(parts)]

        def publish_batch(number: int) -> None:
            again.update(publish_all(store, parts[number], files[number].parent / PREFIX, pip))
            if held is not None:
                done = (locked for key, locked in parts[number].items() if key not in again)
                held.release(lock_of(locked, pip.compat_tag) for locked in done)

        pip.install(files, scratch, jobs=concurrent_pips(cores()), on_installed=publish_batch)
    return again


def _fill_apart(store: Store, wanted: Mapping[str, LockedDistribution], pip: Pip) -> None:
    """Publish each of *wanted* (by key) from a prefix that holds nothing else: none has the bytes of another."""
    if wanted:
        _fill_together(store, [{key: locked} for key, locked in wanted.items()], pip)


def is_obstructed(error: PipFailed) -> bool:
    """Return whether pip failed because a directory is where it would write a file, or the other way round."""
    return OBSTRUCTED.search(error.output) is not None


def fill_missing(store: Store, wanted: Mapping[str, LockedDistribution], pip: Pip) -> None:
    """Ensure the same for those of *wanted* (by key) that the store lacks; take their locks first."""
    missing = {key: locked for key, locked in wanted.items() if not store.has(key)}
    if missing:
        with store.fill_access([lock_of(locked, pip.compat_tag) for locked in missing.values()]) as held:
            fill(store, missing, pip, held)


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
    try:
        return _fill_from_report(store, pins, pip, keys)
    except PipFailed as error:
        if len(pins) == 1 or not is_obstructed(error):
            raise
        return _fill_from_choices(store, pins, pip, keys)


def _fill_from_report(store: Store, pins: Sequence[Pin], pip: Pip, keys: EntryKeys) -> list[ResolvedDistribution]:
    allowed = _by_version(pins)
    dists: list[ResolvedDistribution] = []
    again: dict[str, LockedDistribution] = {}
    with store.scratch() as scratch:
        files = _write_pins(pins, scratch, pip)

        def publish_batch(number: int) -> None:
            installed = _report(files[number])
            dists.extend(installed)
            known = {keys.key(locked): locked for locked in map(as_locked, _verified(installed, allowed))}
            again.update(publish_all(store, known, files[number].parent / PREFIX, pip))

        pip.install(files, scratch, jobs=concurrent_pips(cores()), report=True, on_installed=publish_batch)
    _fill_apart(store, again, pip)
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


def _verified(
    dists: Iterable[ResolvedDistribution], allowed: Mapping[tuple[str, str], Pin]
) -> Iterator[ResolvedDistribution]:
    """Yield those of *dists* of which *pip* has compared what it installed with the sha256 that it reports.

    With a declared hash, it compares with that alone, and reports what the index says. A file on this disk may have
    changed since it was hashed.
    """
    return (dist for dist in dists if not dist.url.startswith("file:") and _is_declared(dist, allowed))


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
