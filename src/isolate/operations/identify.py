"""Learn the sha256 of locked artifacts that the lock, or a declaration, identifies by another hash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.environment.history import read_history
from isolate.lock.artifact import artifact_id, is_identified
from isolate.lock.source_ids import hashes_by_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from isolate.declarations.declared import Declarations
    from isolate.environment.builder import EnvironmentBuilder
    from isolate.locked import LockedDistribution
    from isolate.store.store import Store


def with_known_hashes(locked: Sequence[LockedDistribution], store: Store, venv: Path) -> tuple[LockedDistribution, ...]:
    """Return *locked*, each artifact with its sha256 where *store* or the environment *venv* has a record of it.

    Nothing is downloaded.
    """
    if all(map(is_identified, locked)):
        return tuple(locked)
    history = read_history(venv)[:1]
    installed = {dist.name: dist for generation in history for dist in generation.locked}
    return tuple(_with_known_hash(dist, store, installed.get(dist.name)) for dist in locked)


def _with_known_hash(
    dist: LockedDistribution, store: Store, installed: LockedDistribution | None
) -> LockedDistribution:
    if is_identified(dist):
        return dist
    from isolate.store.digests import recorded_hashes

    if found := recorded_hashes(store, dist):
        return _with_hashes(dist, found)
    if installed is not None and is_identified(installed) and (known := _same_artifact(dist, installed)):
        return _with_hashes(dist, known)
    return dist


def _same_artifact(dist: LockedDistribution, installed: LockedDistribution) -> Mapping[str, str] | None:
    """Return the hashes of what is *installed* if it is the artifact of *dist*, by its place and its hashes."""
    locked, other = dist.artifact or {}, installed.artifact or {}
    hashes: Mapping[str, str] = other.get("hashes", {})
    same_place = all(locked.get(key) == other.get(key) for key in ("url", "path"))
    return hashes if same_place and locked.get("hashes", {}).items() <= hashes.items() else None


def identify(
    locked: Sequence[LockedDistribution], declarations: Declarations, builder: EnvironmentBuilder
) -> tuple[LockedDistribution, ...]:
    """Return *locked*, each artifact with its sha256; what nothing proves is downloaded and compared with all hashes.

    Raises `InvalidDistribution` if an artifact does not have the hashes that are locked and declared.
    """
    declared = hashes_by_name(declarations)
    unproven = [dist for dist in locked if not _is_proven(dist, declared.get(dist.name, frozenset()))]
    if not unproven:
        return tuple(locked)
    from isolate.store.digests import downloaded_hashes, ensure_hashes, record_hashes, recorded_hashes

    found = {dist.name: hashes for dist in unproven if (hashes := recorded_hashes(builder.store, dist)) is not None}
    missing = [dist for dist in unproven if dist.name not in found]
    if missing:
        builder.progress.working(f"hashing {', '.join(dist.name for dist in missing)}")
        downloaded = downloaded_hashes(builder.store, missing, builder.pips.ensure_pip())
        found |= {dist.name: hashes for dist, hashes in zip(missing, downloaded, strict=True)}
    for dist in unproven:
        ensure_hashes(dist, found[dist.name], declared.get(dist.name, ()))
        record_hashes(builder.store, dist, found[dist.name])
    return tuple(_with_hashes(dist, found[dist.name]) if dist.name in found else dist for dist in locked)


def _is_proven(dist: LockedDistribution, declared: frozenset[str]) -> bool:
    """Return whether pip, which demands the locked sha256, also ensures that *dist* is what is *declared*."""
    if dist.artifact is None:
        return True
    return is_identified(dist) and (not declared or dist.source_id.partition("#")[0] in declared)


def _with_hashes(dist: LockedDistribution, found: Mapping[str, str]) -> LockedDistribution:
    [kind] = [key for key in ("wheels", "sdist", "archive") if dist.table.get(key)]
    artifact = dist.artifact or {}
    hashes = {**artifact.get("hashes", {}), "sha256": found["sha256"]}
    complete = {**artifact, "hashes": hashes}
    subdirectory = f"#{artifact['subdirectory']}" if "subdirectory" in artifact else ""
    return dist._replace(
        source_id=artifact_id(hashes, subdirectory),
        table={**dist.table, kind: [complete] if kind == "wheels" else complete},
    )
