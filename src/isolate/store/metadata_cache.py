"""What pip reported about distributions, kept so that pip need not be asked again.

A record is valid for one interpreter and for the settings with which pip found the distribution. It counts only while
the store has the entry of the artifact, so that it never leads to an artifact that can no longer be downloaded.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, NamedTuple

from isolate import fs
from isolate.bounded_read import read_json
from isolate.lock.artifact import sha256_of
from isolate.lock.select import as_locked
from isolate.pip.report import ResolvedDistribution

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from isolate.store.keys import EntryKeys
    from isolate.store.store import Store


class TreeMetadata(NamedTuple):
    """What pip reported about source trees, for commands that may not build them.

    `tag` says for which kind of interpreter, and for which pip.
    """

    store: Store
    tag: str

    def get(self, path: str, digest: str | None) -> ResolvedDistribution | None:
        """Return what pip reported about the source tree *path* when its files had the *digest*; None if nothing."""
        try:
            record = self.store.find(self._path(path, digest))
            return ResolvedDistribution(**read_json(record)) if digest else None
        except (OSError, ValueError, TypeError):
            return None

    def add(self, path: str, digest: str, dist: ResolvedDistribution) -> None:
        """Record what pip reported about the source tree *path*, whose files have the *digest*."""
        record = self._path(path, digest)
        if not record.exists():
            record.parent.mkdir(parents=True, exist_ok=True)
            fs.write(record, json.dumps(dist._asdict()).encode(), staging=self.store.paths.tmp)

    def _path(self, path: str, digest: str | None) -> Path:
        name = hashlib.sha256(repr((path, digest, self.tag)).encode()).hexdigest()
        return self.store.paths.metadata / "trees" / f"{name}.json"


class MetadataCache(NamedTuple):
    """The records in *store* for entries with *keys* and for pips with one *index_fingerprint*."""

    store: Store
    keys: EntryKeys
    index_fingerprint: str

    def get(self, name: str, version: str) -> ResolvedDistribution | None:
        """Return what pip reported about a distribution; None if there is no record or the store lacks the entry."""
        if (dist := self._read(name, version)) is None:
            return None
        return dist if self.store.has(self.keys.key(as_locked(dist))) else None

    def _read(self, name: str, version: str) -> ResolvedDistribution | None:
        """Return what is recorded about a distribution; None if nothing is, or the record is damaged."""
        try:
            dist = ResolvedDistribution(**read_json(self.store.find(self._path(name, version))))
            return dist if sha256_of(dict(dist.hashes)) else None
        except (OSError, ValueError, TypeError, AttributeError):
            return None

    def add(self, dists: Iterable[ResolvedDistribution]) -> None:
        """Record what pip reported about *dists*, except those that only this application or machine has.

        These are source trees and files on the local disk.
        """
        for dist in dists:
            is_public = not dist.is_direct and sha256_of(dist.hashes) and not dist.url.startswith("file:")
            if is_public and self._read(dist.name, dist.version) is None:
                path = self._path(dist.name, dist.version)
                path.parent.mkdir(parents=True, exist_ok=True)
                fs.write(path, json.dumps(dist._asdict()).encode(), staging=self.store.paths.tmp)

    def _path(self, name: str, version: str) -> Path:
        return self.store.paths.metadata / self.index_fingerprint / f"{name}-{version}.json"
