"""Find the sha256 of what pip chose where its report does not prove it.

pip reports the hash that the index states. It has compared the file with that unless the declarations state hashes:
then it has compared the file with those alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.lock.artifact import sha256_of
from isolate.lock.source_ids import hashes_by_name
from isolate.locked import LockedDistribution
from isolate.store.digests import downloaded_hashes, ensure_hashes, record_hashes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from isolate.declarations.declared import Declarations
    from isolate.environment.builder import EnvironmentBuilder
    from isolate.pip.report import ResolvedDistribution


def verified(
    resolved: Sequence[ResolvedDistribution], declarations: Declarations, builder: EnvironmentBuilder
) -> tuple[ResolvedDistribution, ...]:
    """Return *resolved*, each with the sha256 of its artifact, and with the declared hashes that it has.

    An artifact whose sha256 is not proven is downloaded. Raises `InvalidDistribution` if it does not have the declared
    hash.
    """
    declared = hashes_by_name(declarations)
    unproven = {
        item.name: _to_download(item, declared.get(item.name, frozenset()))
        for item in resolved
        if _is_artifact(item) and not _is_proven(item, declared.get(item.name, frozenset()))
    }
    if not unproven:
        return tuple(_with_sha256(item) for item in resolved)
    builder.progress.working(f"hashing {', '.join(unproven)}")
    pip = builder.pips.ensure_pip()
    found = dict(zip(unproven, downloaded_hashes(builder.store, [*unproven.values()], pip), strict=True))
    for name, locked in unproven.items():
        ensure_hashes(locked, found[name], declared.get(name, ()))
        record_hashes(builder.store, _with_hashes(locked, _proven(found[name], declared.get(name))), found[name])
    return tuple(
        item._replace(hashes=_proven(found[item.name], declared.get(item.name)))
        if item.name in found
        else _with_sha256(item)
        for item in resolved
    )


def _is_artifact(item: ResolvedDistribution) -> bool:
    return not (item.is_directory or item.vcs)


def _is_proven(item: ResolvedDistribution, declared: frozenset[str]) -> bool:
    digest = sha256_of(item.hashes)
    return digest is not None and (not declared or f"sha256:{digest}" in declared)


def _with_sha256(item: ResolvedDistribution) -> ResolvedDistribution:
    return item._replace(hashes={"sha256": item.hashes["sha256"]}) if "sha256" in item.hashes else item


def _to_download(item: ResolvedDistribution, declared: frozenset[str]) -> LockedDistribution:
    """Return the artifact of *item*; only where nothing is declared do the hashes that the index states count."""
    artifact = {"url": item.url, "hashes": {} if declared else dict(item.hashes)}
    kind = "archive" if item.is_direct else "sdist"  # a declared URL may need credentials
    return LockedDistribution(name=item.name, version=item.version, source_id="", table={kind: artifact})


def _with_hashes(locked: LockedDistribution, hashes: Mapping[str, str]) -> LockedDistribution:
    return locked._replace(table={kind: {**artifact, "hashes": hashes} for kind, artifact in locked.table.items()})


def _proven(found: Mapping[str, str], declared: frozenset[str] | None) -> dict[str, str]:
    """Return the sha256 among the *found* hashes, and those that are *declared*."""
    return {
        algorithm: digest
        for algorithm, digest in found.items()
        if algorithm == "sha256" or (declared and f"{algorithm}:{digest}" in declared)
    }
