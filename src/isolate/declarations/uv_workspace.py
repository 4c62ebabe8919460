"""The members of a uv workspace: `[tool.uv.workspace]` in the directory of an application or above."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from isolate.application_patterns import matching_directories
from isolate.bounded_read import read_bounded
from isolate.declarations.toml_file import TomlFile
from isolate.declarations.uv_keys import workspace_table
from isolate.errors import DeclarationError
from isolate.owners import ROOT, foreign_owner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def workspace_of(file: TomlFile) -> TomlFile | None:
    """Return the file with the workspace of which the directory of *file* is a member; None if it is of none."""
    for candidate in _files_above(file.path.parent):
        if table := workspace_table(candidate):
            is_member = candidate.path == file.path or file.path.parent in _members(candidate, table).values()
            return candidate if is_member else None
    return None


def workspace_members(root: Path) -> dict[str, Path]:
    """Return the directories of the members of the workspace that *root* belongs to, by normalized name.

    It is empty if *root* belongs to none. Raises `DeclarationError` if a file cannot be read.
    """
    for file in _files_above(root):
        if table := workspace_table(file):
            return _members(file, table)
    return {}


def _files_above(root: Path) -> Iterator[TomlFile]:
    """Yield each `pyproject.toml` in *root* and above that may define a workspace, but none of other users.

    The search ends at the top of a git repository.
    """
    for directory in (root, *root.parents):
        path = directory / "pyproject.toml"
        is_own = all(foreign_owner(part, directory) in (None, ROOT) for part in (directory, path))
        if (directory == root or is_own) and _mentions_workspace(path):
            yield TomlFile(path)
        if (directory / ".git").exists():
            return


def _mentions_workspace(path: Path) -> bool:
    """Return whether *path* may define a workspace: what other files above contain is no concern of the application."""
    try:
        return b"workspace" in read_bounded(path)
    except OSError:
        return False


def _members(file: TomlFile, table: Mapping[str, Any]) -> dict[str, Path]:
    top = file.path.parent
    excluded = {path for pattern in _patterns(file, table, "exclude") for path in _matching(file, pattern, top)}
    found = [path for pattern in _patterns(file, table, "members") for path in _matching(file, pattern, top)]
    members: dict[str, Path] = {}
    for path in [str(top), *found]:
        project = top / path / "pyproject.toml"
        if path in excluded or not os.path.isfile(project):
            continue
        name = _project(TomlFile(project)).get("name")
        if isinstance(name, str):
            members[canonicalize_name(name)] = top / path
    return members


def _patterns(file: TomlFile, table: Mapping[str, Any], key: str) -> list[str]:
    return file.strings(table, key, f"tool.uv.workspace.{key}")


def _matching(file: TomlFile, pattern: str, top: Path) -> list[str]:
    """Return the directories below *top* that match *pattern*."""
    try:
        return [os.path.normpath(path) for path in matching_directories(pattern, top, top)]
    except ValueError:
        problem = f"tool.uv.workspace: `{pattern}` is not a valid pattern for directories of the workspace"
        raise DeclarationError(problem, hint="write a pattern such as `packages/*`", file=file.path) from None


def _project(file: TomlFile) -> Mapping[str, Any]:
    value = file.table.get("project")
    return value if isinstance(value, dict) else {}
