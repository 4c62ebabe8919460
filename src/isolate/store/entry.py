"""One entry of the store, and whether it is what its key says."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from isolate.bounded_read import MAX_RECORD_BYTES, read_bounded
from isolate.store.keys import is_former_key
from isolate.store.layout import (
    entry_files,
    entry_manifest,
    entry_manifest_digest,
    key_of,
)
from isolate.store.manifest import Manifest, digest_of, parse_manifest, write_manifest

if TYPE_CHECKING:
    from pathlib import Path

    from isolate.locked import LockedDistribution


class Entry(NamedTuple):
    """One distribution as pip installed it, from one artifact, for interpreters with one compatibility tag.

    `manifest_digest` is the sha256 (hex) of the content of its manifest's file, by which a copy of it is known.
    """

    path: Path
    manifest: Manifest
    manifest_digest: str

    @property
    def files(self) -> Path:
        """Return the directory of the files, laid out as in an environment."""
        return entry_files(self.path)

    @property
    def key(self) -> str:
        """Return the key of the entry in the store."""
        return key_of(self.path)

    @property
    def manifest_file(self) -> Path:
        """Return the file that the manifest was read from."""
        return entry_manifest(self.path)

    def differences(self, locked: LockedDistribution) -> list[str]:
        """Return how the artifact that the entry was made from differs from *locked*, one line each; mostly none."""
        made = self.manifest
        facts = [
            ("name", locked.name, made.name),
            ("source", locked.source_id, made.source_id),
            ("interpreter", self.path.parent.name, made.compat_tag),
        ]
        if not same_version(locked.version, made.version):
            facts.append(("version", str(locked.version), made.version))
        return [f"{what}: {found}, not {expected}" for what, expected, found in facts if expected != found]


def same_version(locked: str | None, installed: str) -> bool:
    """Return whether the *installed* version is the *locked* one, whose spelling may differ (PEP 440)."""
    if locked is None or locked == installed:
        return True
    from packaging.version import InvalidVersion, Version

    try:
        return Version(locked) == Version(installed)
    except InvalidVersion:
        return False


def read_entry(path: Path) -> Entry:
    """Return the entry in the directory *path*.

    Raises `OSError` or `ValueError` if its manifest cannot be read, or is not the one that was published there. An
    earlier isolate recorded no digest of it.
    """
    content = read_bounded(entry_manifest(path), MAX_RECORD_BYTES)
    digest = digest_of(content)
    if not (is_former_key(path.name) or _record(digest, key_of(path)) == read_bounded(entry_manifest_digest(path))):
        raise ValueError(f"the manifest of {key_of(path)} is not the published one")
    return Entry(path=path, manifest=parse_manifest(content, path), manifest_digest=digest)


def write_entry_manifest(manifest: Manifest, path: Path, key: str) -> Entry:
    """Write *manifest*, and the record by which it is known, into the directory *path* of a new entry; return that.

    *key* is the one under which the entry will be published.
    """
    write_manifest(manifest, entry_manifest(path))
    digest = digest_of(manifest.to_json())
    record = entry_manifest_digest(path)
    record.write_bytes(_record(digest, key))
    record.chmod(0o444)
    return Entry(path=path, manifest=manifest, manifest_digest=digest)


def _record(digest: str, key: str) -> bytes:
    return f"{digest} {key}\n".encode()
