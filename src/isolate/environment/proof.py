"""Prove what an environment contains, file by file, without a record of it. Nothing is changed.

What it should contain is known from elsewhere: from the template of its interpreter, and from entries of the store.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from isolate.environment.installed import Installed
from isolate.environment.link import rewritten_contents
from isolate.environment.records import DIRECTORY
from isolate.environment.template import DIRECTORY as FOLDER
from isolate.environment.template import LINK
from isolate.environment.verify import DamagedFile
from isolate.file_owners import NOTHING, paths_of
from isolate.permissions import is_unsafe_file
from isolate.store.manifest import File, Manifest, code_directories, digest_of, digest_of_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from isolate.environment.template import TemplateFile
    from isolate.file_owners import Overridden
    from isolate.store.entry import Entry

UNPROVEN_MTIME = -1
"""The mtime that is recorded for a file that differs: no file has it, so every check reads the file."""

EXECUTABLE = ("executable", "script")

Listing = dict[str, os.stat_result]


class ProvenDistribution(NamedTuple):
    """What an environment has of one entry: the record of it, its manifest there, and the files that differ.

    `is_present`: it has some of the files.
    """

    installed: Installed
    manifest: Manifest
    damaged: tuple[DamagedFile, ...]
    is_present: bool


def list_files(venv: Path) -> Listing:
    """Return the status of each file and link below *venv*, by relative path, without isolate's own.

    No link is followed: what lies behind one is not part of the environment.
    """
    files: Listing = {}
    pending = [""]
    while pending:
        directory = pending.pop()
        with os.scandir(f"{venv}/{directory}") as entries:
            for entry in entries:
                path = f"{directory}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    if path != DIRECTORY:
                        pending.append(f"{path}/")
                else:
                    files[path] = entry.stat(follow_symlinks=False)
    return files


def prove_template(
    venv: Path, files: Listing, template: Iterable[TemplateFile]
) -> tuple[tuple[File, ...], DamagedFile | None]:
    """Return the record of the files of *template* that are in the environment, and the first that differs, if any."""
    rows: list[File] = []
    for wanted in template:
        if wanted.kind == FOLDER:
            continue
        file = File(wanted.path, 0, 0, digest_of(wanted.content.encode()), "file")
        found = _found(venv, files, file, is_link=wanted.kind == LINK)
        if found is None:
            return (), _damage("", wanted.path, files)
        rows.append(found)
    return tuple(rows), None


def prove_entry(
    venv: Path, files: Listing, entry: Entry, key: str, overridden: Overridden = NOTHING
) -> ProvenDistribution:
    """Return what the environment has of *entry*, except its *overridden* files.

    Raises `DamagedEntry` if the store does not have it whole.
    """
    of_others = paths_of(overridden)
    manifest = entry.manifest
    contents = rewritten_contents(entry, f"{venv}/bin/python")
    rows, rewritten, damaged = [], [], []
    for file in manifest.files:
        if file.path in of_others:
            rows.append(file)
            continue
        content = contents.get(file.path)
        wanted = file if content is None else file._replace(size=len(content), sha256=digest_of(content))
        found = _found(venv, files, wanted)
        if found is None:
            damaged.append(_damage(manifest.name, file.path, files))
            found = wanted._replace(mtime_ns=UNPROVEN_MTIME)
        rows.append(found if content is None else file)
        if content is not None:
            rewritten.append(found._replace(kind="file"))
    own = manifest._replace(files=tuple(rows))
    installed = Installed(
        name=manifest.name,
        version=manifest.version,
        key=key,
        source_id=manifest.source_id,
        rewritten=tuple(rewritten),
        directories=code_directories(manifest.files),
        size=sum(file.size for file in manifest.files),
        manifest=digest_of(own.to_json()),
        overridden=overridden,
    )
    is_present = len(damaged) < len(manifest.files) - len(of_others)
    return ProvenDistribution(installed, own, tuple(damaged), is_present)


def is_proven(venv: Path, files: Listing, file: File) -> bool:
    """Return whether the environment has *file* as it is in the store."""
    return _found(venv, files, file) is not None


def _found(venv: Path, files: Listing, file: File, *, is_link: bool = False) -> File | None:
    """Return *file* with its size and mtime in the environment; None if it is missing there, or differs."""
    status, path = files.get(file.path), f"{venv}/{file.path}"
    if status is None or not (stat.S_ISLNK if is_link else stat.S_ISREG)(status.st_mode):
        return None
    if (file.kind in EXECUTABLE and not status.st_mode & stat.S_IXUSR) or (not is_link and is_unsafe_file(status)):
        return None
    try:
        digest = digest_of(os.fsencode(os.readlink(path))) if is_link else digest_of_file(path)
    except OSError:
        return None
    return file._replace(size=status.st_size, mtime_ns=status.st_mtime_ns) if digest == file.sha256 else None


def _damage(name: str, path: str, files: Listing) -> DamagedFile:
    return DamagedFile(name=name, path=path, code="modified-file" if path in files else "missing-file")
