"""What pip installed into a prefix. RECORD says which distribution a file belongs to.

RECORD is specified in https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_name

from isolate import fs
from isolate.errors import InvalidDistribution
from isolate.store.manifest import is_relative_path
from isolate.store.record_file import read_record
from isolate.store.reserved_paths import first_reserved, foreign_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable

BROKEN_PACKAGE = "the package is broken: report it to its maintainers, or pin another version"


class UnpackedDistribution(NamedTuple):
    """A distribution that pip installed into *prefix*.

    `record` is the path of its RECORD. `recorded_hashes` has the path of every file, and the sha256 (hex) that RECORD
    states for it, None if it states none. Paths are below the prefix. `faults` tell which rows of RECORD name no file,
    or one that another row names: pip installs a wheel whatever its RECORD lists.
    """

    prefix: Path
    name: str
    version: str
    record: str
    recorded_hashes: Mapping[str, str | None]
    faults: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the name and the version, for messages."""
        return f"{self.name} {self.version}"


def read_prefix(prefix: Path) -> dict[str, UnpackedDistribution]:
    """Return the distributions that pip installed into *prefix*, by normalized name.

    Raises `InvalidDistribution` if a RECORD is missing or malformed, or if it names a file outside *prefix* or one that
    no distribution may bring.
    """
    dists: dict[str, UnpackedDistribution] = {}
    links = fs.directory_links(prefix)
    for dist_info in sorted(prefix.glob("lib*/*/site-packages/*.dist-info")):
        if dist_info.relative_to(prefix).parts[0] not in links:  # it is found below the target of the link, too
            dist = _read_distribution(prefix, dist_info, links)
            _reject_foreign_paths(dist)
            dists[dist.name] = dist
    return dists


def with_shared_files(dists: Iterable[UnpackedDistribution]) -> frozenset[str]:
    """Return the names of those of *dists* whose RECORD lists a file that the RECORD of another lists, too.

    One of them has overwritten the file of the other: pip adds to a RECORD what it unpacks and the wheel does not list.
    """
    owners: dict[str, str] = {}
    shared: set[str] = set()
    for dist in dists:
        for path in dist.recorded_hashes:
            owner = owners.setdefault(path, dist.name)
            if owner != dist.name:
                shared |= {owner, dist.name}
    return frozenset(shared)


def _reject_foreign_paths(dist: UnpackedDistribution) -> None:
    """Raise `InvalidDistribution` if *dist* has a file of the environment itself, or metadata of another."""
    if (path := first_reserved(dist.recorded_hashes)) is not None:
        raise InvalidDistribution(
            f"{dist} installs {path}, which belongs to the environment itself", hint=BROKEN_PACKAGE
        )
    if (path := foreign_metadata(dist.recorded_hashes, os.path.dirname(dist.record))) is not None:
        raise InvalidDistribution(f"{dist} installs {path}, which is metadata of another package", hint=BROKEN_PACKAGE)


def _read_distribution(prefix: Path, dist_info: Path, links: Mapping[str, str]) -> UnpackedDistribution:
    name, _, version = dist_info.name.removesuffix(".dist-info").partition("-")
    try:
        rows = read_record((dist_info / "RECORD").read_bytes())
    except (OSError, ValueError):
        raise InvalidDistribution(f"{name} {version} has no readable RECORD", hint=BROKEN_PACKAGE) from None
    site = os.path.relpath(dist_info.parent, prefix)
    hashes: dict[str, str | None] = {}
    faults: list[str] = []
    for row in filter(None, rows):
        path = _without_link(links, os.path.normpath(os.path.join(site, row[0])))
        if os.path.isabs(path) or path.split("/", 1)[0] == os.pardir:
            raise InvalidDistribution(
                f"{name} {version} has a file outside the environment: {row[0]}", hint=BROKEN_PACKAGE
            )
        digest = _recorded_sha256(row)
        if digest is None and os.path.isdir(prefix / path):  # few rows have no hash
            faults.append(f"{path} is a directory")
            continue
        if not is_relative_path(path):
            raise InvalidDistribution(
                f"{name} {version} has a file with a control character in its name: {row[0]}", hint=BROKEN_PACKAGE
            )
        if path in hashes:
            faults.append(f"{path} is listed twice")
        hashes[path] = digest
    return UnpackedDistribution(
        prefix=prefix,
        name=canonicalize_name(name),
        version=version,
        record=f"{site}/{dist_info.name}/RECORD",
        recorded_hashes=hashes,
        faults=tuple(faults),
    )


def _without_link(links: Mapping[str, str], path: str) -> str:
    """Return the relative *path* as it is without *links*, the targets by name: `lib64/x` is `lib/x`."""
    first, separator, rest = path.partition("/")
    return f"{links[first]}/{rest}" if separator and first in links else path


def _recorded_sha256(row: list[str]) -> str | None:
    """Return the sha256 (hex) in a row of RECORD; None if there is none, a text that no file has if it is malformed."""
    algorithm, _, value = row[1].partition("=") if len(row) > 1 else ("", "", "")
    if algorithm != "sha256":
        return None
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()
    except ValueError:
        return "malformed"
