"""What identifies an artifact: its sha256 and nothing else. Pure.

Weaker hashes can be forged. Several hashes of one artifact are an alternative for pip, which accepts a file that has
any of them, so at most one reaches it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import InvalidSdistFilename, parse_sdist_filename

from isolate.errors import StaleLock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from isolate.locked import LockedDistribution

SHA256 = re.compile(r"[0-9a-f]{64}")
UNVERIFIED = "unverified:"
"""How the `source_id` of an artifact begins whose sha256 is not known yet. The store never has an entry of it."""

HASH_FOR_PIP = re.compile(r"[#&](?:md5|sha1|sha224|sha256|sha384|sha512)=([^&]*)")
"""What pip takes for a hash anywhere in a URL; it accepts a file with that hash beside those that are demanded."""


def sha256_of(hashes: Mapping[str, str]) -> str | None:
    """Return the sha256 (hex) among *hashes*, by algorithm; None if there is none, or not a valid one."""
    digest = hashes.get("sha256", "").lower()
    return digest if SHA256.fullmatch(digest) else None


def artifact_id(hashes: Mapping[str, str], subdirectory: str = "") -> str:
    """Return the `source_id` of the artifact with *hashes*, of which *subdirectory* (`#subdirectory=…`) is built."""
    digest = sha256_of(hashes)
    identity = f"sha256:{digest}" if digest else UNVERIFIED + " ".join(in_one_text(hashes))
    return identity + subdirectory


def in_one_text(hashes: Mapping[str, str]) -> list[str]:
    """Return *hashes* as `algorithm:digest`, in order."""
    return sorted(f"{algorithm}:{digest.lower()}" for algorithm, digest in hashes.items())


def demanded(hashes: Iterable[str]) -> frozenset[str]:
    """Return those of the declared *hashes* (`algorithm:digest`) that count: of several algorithms, only sha256."""
    declared = frozenset(hashes)
    return frozenset(value for value in declared if value.startswith("sha256:")) or declared


def artifact_hashes(locked: LockedDistribution) -> frozenset[str]:
    """Return the locked hashes (`algorithm:digest`) of an artifact; none if it does not come from a single file."""
    return frozenset(in_one_text((locked.artifact or {}).get("hashes", {})))


def is_identified(locked: LockedDistribution) -> bool:
    """Return whether the sha256 of the artifact of *locked* is known, unless it does not come from a single file."""
    identity = locked.source_id.partition("#")[0]
    return locked.artifact is None or SHA256.fullmatch(identity.removeprefix("sha256:")) is not None


def sdist_name(filename: str, name: str, version: str) -> str:
    """Return the name for the sdist *filename* of a distribution in a lock: a standard one if its own is not valid.

    pip accepts `x-1.0-1.tar.gz` and `x-1.0.tar.xz`; a lock may have only `x-1.0.post1.tar.gz` and the like (PEP 625).
    """
    standard = f"{name.replace('-', '_')}-{version}.{'zip' if filename.endswith('.zip') else 'tar.gz'}"
    try:
        return filename if parse_sdist_filename(filename) == parse_sdist_filename(standard) else standard
    except InvalidSdistFilename:
        return standard


def ensure_only_hash(name: str, url: str, hashes: Mapping[str, str]) -> None:
    """Raise `StaleLock` if *url* gives a hash that pip would accept instead of the locked *hashes* of *name*."""
    for value in HASH_FOR_PIP.findall(url):
        if value.lower() != sha256_of(hashes):
            raise StaleLock(
                f"the lock gives two hashes for {name}",
                facts=(f"its URL gives another hash than the one that is locked: {value}",),
                hint="remove the hash from the URL, or run `isolate lock`",
            )
