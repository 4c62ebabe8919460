"""The records of the files of an environment: the manifests of its distributions, and the record of its template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.bounded_read import parse_json
from isolate.environment.records import TEMPLATE, UNREADABLE, manifest_path, read_record
from isolate.file_owners import paths_of
from isolate.signed_record import read_regular_file
from isolate.store.manifest import File, Manifest, digest_of, files_from_rows, parse_manifest

if TYPE_CHECKING:
    from pathlib import Path

    from isolate.environment.installed import Installed


def installed_files(venv: Path, installed: Installed) -> tuple[File, ...]:
    """Return the files that a distribution owns in the environment *venv*; only `rewritten` without its manifest.

    A manifest that was changed counts as none.
    """
    manifest = installed_manifest(venv, installed)
    files = installed.rewritten if manifest is None else _as_installed(manifest, installed.rewritten)
    if not installed.overridden:
        return files
    overridden = paths_of(installed.overridden)
    return tuple(file for file in files if file.path not in overridden)


def installed_manifest(venv: Path, installed: Installed) -> Manifest | None:
    """Return the manifest of a distribution in the environment *venv*; None if it was changed or is missing."""
    content = _manifest_content(venv, installed)
    try:
        return None if content is None else parse_manifest(content, manifest_path(installed.name))
    except ValueError:
        return None


def has_manifest(venv: Path, installed: Installed) -> bool:
    """Return whether the environment *venv* has the manifest of a distribution unchanged."""
    return _manifest_content(venv, installed) is not None


def _manifest_content(venv: Path, installed: Installed) -> bytes | None:
    try:
        content = read_regular_file(f"{venv}/{manifest_path(installed.name)}")
    except OSError:
        return None
    return content if digest_of(content) == installed.manifest else None


def _as_installed(manifest: Manifest, rewritten: tuple[File, ...]) -> tuple[File, ...]:
    """Return the files of *manifest*, each replaced by the one in *rewritten* that was made from it."""
    by_path = {file.path: file for file in rewritten}
    return tuple(by_path.get(file.path, file) for file in manifest.files)


NEEDED_BY_EVERY_ENVIRONMENT = frozenset({"pyvenv.cfg", "bin/python", "bin/activate"})
"""A template record without one of these files was not written by isolate, or was cut off."""


def template_files(venv: Path) -> tuple[File, ...] | None:
    """Return the files that `venv` created in this environment; None unless this user's isolate wrote the record."""
    try:
        files = files_from_rows(parse_json(read_record(venv, TEMPLATE), TEMPLATE))
    except UNREADABLE:
        return None
    return files if NEEDED_BY_EVERY_ENVIRONMENT.issubset(file.path for file in files) else None
