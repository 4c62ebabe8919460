"""pip fills the store: what is missing is installed into a scratch prefix, and each distribution becomes an entry."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from isolate.errors import InvalidDistribution
from isolate.lock.select import as_locked
from isolate.parallel.map import cores
from isolate.pip.report import read_report
from isolate.pip.runner import PREFIX, REPORT
from isolate.store.batches import batches, partition, pips_at_once
from isolate.store.dedupe import share
from isolate.store.ingest import read_prefix, take_in
from isolate.store.manifest import Manifest, write_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from isolate.locked import LockedDistribution
    from isolate.pip.report import ResolvedDistribution
    from isolate.pip.runner import Pip
    from isolate.store.ingest import UnpackedDistribution
    from isolate.store.layout import Entry, Store


def fill(store: Store, missing: Mapping[str, LockedDistribution], pip: Pip) -> None:
    """Ensure that the store has an entry for each of *missing* (by key), installed by *pip*.

    The caller holds the store's write lock. Raises `PipFailed` or `InvalidDistribution`; the entries that could be
    made stay.
    """
    dealt = batches({key: locked for key, locked in missing.items() if not store.has(key)}, cores())
    with store.scratch() as scratch:
        files = [pip.write([*portion.values()], scratch / str(number)) for number, portion in enumerate(dealt)]

        def take(number: int) -> None:
            publish(store, dealt[number], files[number].parent / PREFIX, pip)

        pip.install(files, scratch, at_once=pips_at_once(cores()), on_installed=take)


def fill_from_pins(store: Store, lines: Mapping[tuple[str, str], str], pip: Pip) -> list[ResolvedDistribution]:
    """Let *pip* install what *lines* of a requirements file pin, and nothing that it needs; return what it reports.

    They come by name and version. The store then has an entry for each that has a hash. Whoever calls is the only one
    who fills the store. Raises as `fill` does.
    """
    reported: list[ResolvedDistribution] = []
    dealt = partition({pin: pin[0] for pin in lines}, cores())
    with store.scratch() as scratch:
        files = [
            _write_pins([lines[pin] for pin in portion], scratch / str(number), pip)
            for number, portion in enumerate(dealt)
        ]

        def take(number: int) -> None:
            folder = files[number].parent
            items = read_report((folder / REPORT).read_text(encoding="utf-8"))
            reported.extend(items)
            locked = [as_locked(item) for item in items if item.hashes]
            keys = (store.key(pip.kind, one.name, one.version, one.source_id) for one in locked)
            publish(store, dict(zip(keys, locked, strict=True)), folder / PREFIX, pip)

        pip.install(files, scratch, at_once=pips_at_once(cores()), report=True, on_installed=take)
    return reported


def _write_pins(lines: Sequence[str], folder: Path, pip: Pip) -> Path:
    folder.mkdir()
    path = folder / "pins.txt"
    path.write_text("".join(f"{line}\n" for line in (*pip.options, *lines)), encoding="utf-8")
    return path


def publish(store: Store, wanted: Mapping[str, LockedDistribution], prefix: Path, pip: Pip) -> None:
    """Create the entries *wanted* (by key) from *prefix*; raise `InvalidDistribution` if it holds anything else."""
    found = read_prefix(prefix)
    for key, locked in wanted.items():
        taken = found.get(locked.name)
        if taken is None or not same_version(locked.version, taken.version):
            facts = (f"wanted {locked.name} {locked.version}", f"found {taken.version if taken else 'nothing'}")
            raise InvalidDistribution(
                f"the artifact of {locked.name} holds something else", facts=facts, hint="run `isolate lock`"
            )
        if not locked.is_direct:
            taken = without_direct_url(taken, prefix)
        with store.scratch() as scratch:
            siblings = store.siblings(pip.kind, locked.name)
            prepare(taken, prefix, scratch / "entry", locked.source_id, pip, siblings=siblings)
            store.publish(scratch / "entry", key)


def prepare(  # noqa: PLR0913 - what an entry consists of, and where from
    taken: UnpackedDistribution, prefix: Path, target: Path, source_id: str, pip: Pip, *, siblings: Sequence[Entry] = ()
) -> None:
    """Make in *target* all that an entry consists of; files that *siblings* have too are shared with them."""
    target.mkdir()
    files = take_in(taken, prefix, target, str(pip.python))
    manifest = Manifest(
        name=taken.name,
        version=taken.version,
        source_id=source_id,
        interpreter_kind=pip.kind,
        pip=pip.version,
        files=share(files, target / "files", siblings),
    )
    write_manifest(manifest, target)


def same_version(locked: str | None, installed: str) -> bool:
    """Say whether an installed version is the locked one, however each is spelled (PEP 440)."""
    return locked is None or Version(locked) == Version(installed)


def without_direct_url(taken: UnpackedDistribution, prefix: Path) -> UnpackedDistribution:
    """Take out the address that an older pip was fed with: PEP 610 allows it only where the user gave one."""
    path = f"{os.path.dirname(taken.record)}/direct_url.json"
    if path not in taken.claims:
        return taken
    with contextlib.suppress(FileNotFoundError):
        (prefix / path).unlink()
    record = prefix / taken.record
    rows = record.read_text(encoding="utf-8").splitlines(keepends=True)
    record.write_text("".join(row for row in rows if "/direct_url.json," not in row), encoding="utf-8")
    claims = {claim: digest for claim, digest in taken.claims.items() if claim != path}
    return type(taken)(name=canonicalize_name(taken.name), version=taken.version, record=taken.record, claims=claims)
