"""The file `.python-version`, by which pyenv, uv and other tools request an interpreter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.bounded_read import UnexpectedFile, read_bounded
from isolate.errors import DeclarationError
from isolate.interpreters.request import PythonRequest
from isolate.owners import ROOT, foreign_owner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def read_version_file(root: Path) -> PythonRequest | None:
    """Return the request of the `.python-version` in *root* or the nearest directory above; None if there is none.

    Raises `DeclarationError` for a file that contains no version.
    """
    path = next((path for path in version_files(root) if path.exists() and not path.is_dir()), None)
    if path is None:
        return None
    return PythonRequest.from_version_file(_first_line(path), path)


def version_files(root: Path, name: str = ".python-version") -> Iterator[Path]:
    """Yield where a file *name* for *root* may be, the nearest first, up to the top of a git repository.

    A file above *root* that belongs to another user, or is in the directory of one, does not count.
    """
    for directory in (root, *root.parents):
        path = directory / name
        if directory == root or not any(_is_of_another_user(part, directory) for part in (directory, path)):
            yield path
        if (directory / ".git").exists():
            return


def _is_of_another_user(path: Path, directory: Path) -> bool:
    return foreign_owner(path, directory) not in (None, ROOT)


def _first_line(path: Path) -> str:
    try:
        lines = read_bounded(path).decode("utf-8-sig").splitlines()
    except UnexpectedFile as error:
        hint = "write a version into it, for example `3.12`, or delete it"
        raise DeclarationError(f"cannot be read: {error.strerror}", hint=hint, file=path) from None
    except (OSError, UnicodeDecodeError):
        lines = []
    for line in lines:
        if line.strip() and not line.lstrip().startswith("#"):
            return line.strip()
    hint = "write a version into it, for example `3.12`, or delete it"
    raise DeclarationError("contains no Python version", hint=hint, file=path)
