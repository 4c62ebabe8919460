"""What pip once said about a distribution, kept so that it need not be asked again.

A record belongs to one interpreter and to the settings by which pip found the distribution; it counts for as long as
the store has the entry that was made of it, so that it never leads to an artifact which is not to be had any more.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from isolate import fs
from isolate.lock.select import best_hash
from isolate.pip.report import ResolvedDistribution

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from isolate.store.layout import Store


class MetadataCache(NamedTuple):
    """Records for one `kind` of interpreter, found in the circumstances that `digest` stands for."""

    store: Store
    kind: str
    digest: str

    def get(self, name: str, version: str) -> ResolvedDistribution | None:
        """Return what is known of a distribution that the store has; None if that is nothing."""
        try:
            found = ResolvedDistribution(**json.loads(self._path(name, version).read_bytes()))
            key = self.store.key(self.kind, name, found.version, best_hash(dict(found.hashes)))
        except (OSError, ValueError, TypeError):
            return None
        return found if self.store.has(key) else None

    def remember(self, items: Iterable[ResolvedDistribution]) -> None:
        """Keep what pip said about *items*, where that holds for everybody: no source trees, no files of this disk."""
        for item in items:
            path = self._path(item.name, item.version)
            if not item.is_direct and item.hashes and not item.url.startswith("file:") and not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                fs.write(path, json.dumps(item._asdict()).encode(), by=self.store.tmp)

    def _path(self, name: str, version: str) -> Path:
        return self.store.known / self.digest / f"{name}-{version}.json"
