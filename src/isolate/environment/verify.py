"""What really lies in an environment, against what was put there. Looks, and changes nothing."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_name

from isolate.environment.journal import source_of
from isolate.environment.records import installed_files, manifest_path, template_files
from isolate.store.manifest import digest_of_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from isolate.environment.records import Installed, State
    from isolate.store.manifest import File


class Damage(NamedTuple):
    """A file that is not as it was installed.

    `code` is `missing-file` or `modified-file`; `name` is the distribution, empty for the environment itself.
    """

    name: str
    path: str
    code: str


class UnmanagedDistribution(NamedTuple):
    """A distribution that isolate did not install.

    `folder` is its metadata, `files` what its RECORD claims, both below the environment.
    """

    name: str
    version: str
    folder: str
    files: tuple[str, ...]


def damages(
    venv: Path, state: State, *, names: Iterable[str] | None = None, verify_hashes: bool = False
) -> list[Damage]:
    """Return every file of the distributions *names* (default: of all, and of the skeleton) that is not as it was.

    Size and time are compared, and the content where they differ; with *verify_hashes* every content is.
    """
    chosen = state.installed if names is None else {name: state.installed[name] for name in names}
    found: list[Damage] = []
    for one in chosen.values():
        files = installed_files(venv, one)
        found += _damaged(venv, one.name, files, verify_hashes=verify_hashes)
        if len(files) <= len(one.written):
            found.append(Damage(name=one.name, path=manifest_path(one.name), code="missing-file"))
    if names is None:
        found += template_damages(venv, verify_hashes=verify_hashes)
    return found


def template_damages(venv: Path, *, verify_hashes: bool = False) -> list[Damage]:
    """Return every file that `venv` made and that is not as it was."""
    return list(_damaged(venv, "", template_files(venv), verify_hashes=verify_hashes))


def _damaged(venv: Path, name: str, files: Iterable[File], *, verify_hashes: bool) -> Iterator[Damage]:
    root = f"{venv}/"
    for path, size, mtime_ns, sha256, _ in files:
        try:
            status = os.lstat(root + path)
        except OSError:
            yield Damage(name=name, path=path, code="missing-file")
            continue
        same = status.st_size == size and status.st_mtime_ns == mtime_ns and status.st_mode & stat.S_IRUSR
        if (verify_hashes or not same) and _digest(root + path) != sha256:
            yield Damage(name=name, path=path, code="modified-file")


def lies_untouched(venv: Path, file: File) -> bool:
    """Say whether *file* lies in the environment with the size and the time that it was installed with."""
    try:
        status = os.lstat(f"{venv}/{file.path}")
    except OSError:
        return False
    return status.st_size == file.size and status.st_mtime_ns == file.mtime_ns


def _digest(path: str) -> str:
    try:
        if os.path.islink(path):
            return hashlib.sha256(os.readlink(path).encode()).hexdigest()
        return digest_of_file(path)
    except OSError:
        return ""


def foreign(venv: Path, site: str, installed: Mapping[str, Installed]) -> list[UnmanagedDistribution]:
    """Return the distributions in *site* (below *venv*) whose metadata is not that of one of *installed*."""
    ours = {_metadata_folder(one) for one in installed.values()}
    return [
        _foreign(venv, site, folder)
        for folder in sorted(os.listdir(venv / site))
        if folder.endswith((".dist-info", ".egg-info")) and _spelled(folder) not in ours
    ]


def _metadata_folder(one: Installed) -> str:
    return f"{one.name}-{one.version.lower()}"


def _spelled(folder: str) -> str:
    stem = folder.rpartition(".")[0]
    name, _, version = stem.partition("-")
    return f"{canonicalize_name(name)}-{version.lower()}"


def _foreign(venv: Path, site: str, folder: str) -> UnmanagedDistribution:
    name, _, version = folder.rpartition(".")[0].partition("-")
    whole = f"{site}/{folder}"
    files = {whole} if (venv / whole).is_file() else set(_files_below(venv, whole))
    try:
        text = (venv / site / folder / "RECORD").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""
    for row in csv.reader(io.StringIO(text)):
        path = os.path.normpath(os.path.join(site, row[0])) if row else ""
        if path and not path.startswith(("..", "/", ".isolate")):
            files.add(path)
    return UnmanagedDistribution(
        name=canonicalize_name(name), version=version, folder=whole, files=tuple(sorted(files))
    )


def _files_below(venv: Path, folder: str) -> Iterator[str]:
    for where, folders, files in os.walk(venv / folder):
        for name in files + [one for one in folders if os.path.islink(os.path.join(where, one))]:
            yield os.path.relpath(os.path.join(where, name), venv)


def unowned(venv: Path, owned: Iterable[str]) -> list[str]:
    """Return every file and link in the environment that is none of *owned* nor compiled from one: the user's own."""
    known = set(owned)
    return sorted(
        path
        for path in _files_below(venv, ".")
        if path not in known and source_of(path) not in known and not path.startswith(".isolate/")
    )
