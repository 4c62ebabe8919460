"""From a prefix that pip installed into to entries: each RECORD says which files are whose.

RECORD is specified in https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_name

from isolate.errors import InvalidDistribution, file_conflict
from isolate.store.manifest import MODES, File, tree_of
from isolate.store.shebangs import without_interpreter

if TYPE_CHECKING:
    from isolate.store.manifest import Kind

NOT_A_DISTRIBUTION = "report it to the authors of the distribution, or pin a version that is sound"


class UnpackedDistribution(NamedTuple):
    """A distribution in the prefix: its files by path below the prefix, with the sha256 that RECORD gives, if any."""

    name: str
    version: str
    record: str
    claims: Mapping[str, str | None]


def read_prefix(prefix: Path) -> dict[str, UnpackedDistribution]:
    """Return the distributions that pip installed into *prefix*, by normalized name.

    Raises `InvalidDistribution` if a RECORD is missing or broken, if it names a file outside *prefix*, or if two
    distributions claim one file.
    """
    found: dict[str, UnpackedDistribution] = {}
    for folder in sorted(prefix.glob("lib*/*/site-packages/*.dist-info")):
        taken = _read_distribution(prefix, folder)
        found[taken.name] = taken
    owners: dict[str, str] = {}
    for taken in found.values():
        for path in taken.claims:
            other = owners.setdefault(path, taken.name)
            if other != taken.name:
                facts = (f"{other} {found[other].version}", f"{taken.name} {taken.version}")
                raise file_conflict(path, other, taken.name, facts=facts)
    return found


def _read_distribution(prefix: Path, folder: Path) -> UnpackedDistribution:
    name, _, version = folder.name.removesuffix(".dist-info").partition("-")
    try:
        text = (folder / "RECORD").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InvalidDistribution(f"{name} {version} has no RECORD that can be read", hint=NOT_A_DISTRIBUTION) from None
    site = os.path.relpath(folder.parent, prefix)
    claims: dict[str, str | None] = {}
    for row in csv.reader(io.StringIO(text)):
        if row:
            claims[_claimed(row[0], site, f"{name} {version}")] = _sha256_of(row)
    record = f"{site}/{folder.name}/RECORD"
    return UnpackedDistribution(name=canonicalize_name(name), version=version, record=record, claims=claims)


def _claimed(row: str, site: str, who: str) -> str:
    path = os.path.normpath(os.path.join(site, row))
    if os.path.isabs(path) or path.split("/", 1)[0] == os.pardir:
        raise InvalidDistribution(f"{who} has a file outside of its environment: {row}", hint=NOT_A_DISTRIBUTION)
    return path


def _sha256_of(row: list[str]) -> str | None:
    algorithm, _, value = row[1].partition("=") if len(row) > 1 else ("", "", "")
    if algorithm != "sha256":
        return None
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()
    except ValueError:
        return "broken"


def take_in(taken: UnpackedDistribution, prefix: Path, target: Path, python: str) -> tuple[File, ...]:
    """Move the files of *taken* from *prefix* to *target*/files, make them read-only, and return them by path.

    *python* is the interpreter that pip wrote into scripts. Raises `InvalidDistribution` for a file that is missing, is
    not a plain file, or does not match RECORD.
    """
    files = [_settle(taken, path, f"{prefix}/{path}", python) for path in taken.claims]
    (target / "files").mkdir()
    _move(str(prefix), str(target / "files"), tree_of(taken.claims))
    return tuple(sorted(files))


def _move(source: str, target: str, tree: dict[str, dict]) -> None:  # type: ignore[type-arg]
    """Move what *tree* names from one directory to another: by one rename whatever nothing else is in."""
    for name, below in tree.items():
        here, there = f"{source}/{name}", f"{target}/{name}"
        if not below or _holds_only(here, below):
            os.rename(here, there)
        else:
            os.mkdir(there)
            _move(here, there, below)


def _holds_only(folder: str, tree: dict[str, dict]) -> bool:  # type: ignore[type-arg]
    """Say whether all that lies in *folder* is named by *tree*."""
    with os.scandir(folder) as found:
        return all(
            one.name in tree and (not one.is_dir(follow_symlinks=False) or _holds_only(one.path, tree[one.name]))
            for one in found
        )


def _checked(source: str, taken: UnpackedDistribution, path: str) -> tuple[os.stat_result, bytes, str]:
    """Return a file that pip installed: its status, its content, and its sha256 (hex), which is what RECORD says."""
    who = f"{taken.name} {taken.version}"
    try:
        status = os.lstat(source)
        if not stat.S_ISREG(status.st_mode):
            raise InvalidDistribution(f"{who}: {path} is no plain file", hint=NOT_A_DISTRIBUTION)
        with open(source, "rb") as file:
            content = file.read()
    except OSError as error:
        raise InvalidDistribution(
            f"{who}: its RECORD lists {path}, which is not there ({error.strerror})", hint=NOT_A_DISTRIBUTION
        ) from None
    expected, actual = taken.claims[path], hashlib.sha256(content).hexdigest()
    if expected not in (None, actual) and path != taken.record:
        facts = (f"RECORD says {expected}", f"the file is {actual}")
        raise InvalidDistribution(f"{who}: {path} is not what its RECORD says", facts=facts, hint=NOT_A_DISTRIBUTION)
    return status, content, actual


def _settle(taken: UnpackedDistribution, path: str, source: str, python: str) -> File:
    """Bring a file into the form that it has in the store, and return what it is then."""
    status, content, digest = _checked(source, taken, path)
    kind: Kind = "executable" if status.st_mode & 0o111 else "file"
    if path == taken.record:
        kind = "record"
    elif path.startswith("bin/") and (body := without_interpreter(content, python)) is not None:
        kind, digest = "script", hashlib.sha256(body).hexdigest()
        Path(source).write_bytes(body)
        status = os.stat(source)
    os.chmod(source, MODES[kind])
    return File(path, status.st_size, status.st_mtime_ns, digest, kind)
