"""The keys of entries: which artifact, for which kind of interpreter, built in which way."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

from isolate.store.layout import BYTECODE_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable

    from isolate.locked import LockedDistribution


SHA256_ID = re.compile(r"sha256:([0-9a-f]{64})")
"""The identity of an artifact that is a single file."""

BUILD_DIGEST = re.compile(r"(-[0-9a-f]{64})-[0-9a-f]{32}$")

FORMER_DIGEST = re.compile(r"-[0-9a-f]{16}$")

MAX_LABEL = 100
"""How many characters of name and version a key has: a file name has at most 255."""


class EntryKeys(NamedTuple):
    """What the keys of an application's entries have in common.

    `compat_tag` is that of its interpreter. `build_id` returns a text that differs where its builds from source may
    come out differently; it is only called if something is built. `no_build_isolation` has the names of packages that
    are built in the application's environment.
    """

    compat_tag: str
    build_id: Callable[[], str] = str
    no_build_isolation: frozenset[str] = frozenset()

    def is_unshared(self, locked: LockedDistribution) -> bool:
        """Return whether *locked* is built without isolation, so that the store never has it."""
        return locked.name in self.no_build_isolation and locked.is_built

    def key(self, locked: LockedDistribution) -> str:
        """Return the key of the entry of *locked*."""
        build_id = self.build_id() if locked.is_built else ""
        return entry_key(self.compat_tag, locked.name, locked.version, locked.source_id, build_id)


def entry_key(compat_tag: str, name: str, version: str | None, source_id: str, build_id: str = "") -> str:
    """Return the key of one artifact's entry for interpreters with *compat_tag*: its path below `entries`.

    It has the full sha256 of the artifact, or that of its *source_id* (see `LockedDistribution`) if it is not a single
    file. What was built from source also has a digest of its *build_id*: everything else that the build depended on.
    *version* is None for a source tree that does not state one.
    """
    artifact, _, rest = source_id.partition("#")
    match = SHA256_ID.fullmatch(artifact)
    digest = match[1] if match else _digest(source_id.encode())
    label = f"{name}-{version or 'tree'}"[:MAX_LABEL]
    key = f"{compat_tag}/{label}-{digest}"
    return f"{key}-{_digest(repr((build_id, rest)).encode())[:32]}" if build_id or rest else key


def tag_of(key: str) -> str:
    """Return the compatibility tag of the interpreters that the entry *key* is for."""
    return key.partition("/")[0]


def artifact_key(key: str) -> str:
    """Return *key* without what tells builds of one artifact, and its bytecode, apart."""
    return BUILD_DIGEST.sub(r"\1", key.removesuffix(BYTECODE_SUFFIX))


def is_former_key(key: str) -> bool:
    """Return whether an earlier isolate gave *key* to an entry, with 64 bits of a digest.

    Such an entry serves no environment: the hash in its key may never have been verified.
    """
    return FORMER_DIGEST.search(key.removesuffix(BYTECODE_SUFFIX)) is not None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
