"""Write records of an environment that was verified without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.environment.journal import open_venv
from isolate.environment.records import OLD_TEMPLATE, STAMP, WORK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from isolate.open_directory import OpenDirectory

NEW_RECORD = f"{WORK}/record"


def sign(venv: Path, records: Mapping[str, bytes]) -> None:
    """Write *records*, by path and in their order, in place of those of the environment *venv*.

    Raises `OSError`, and `NotManaged` if a link is where a directory should be.
    """
    with open_venv(venv) as directory:
        for path in (STAMP, OLD_TEMPLATE):
            directory.remove_file(path)
        directory.make_directories(WORK)
        try:
            for path, content in records.items():
                _replace(directory, path, content)
        finally:
            directory.delete_tree(WORK)


def _replace(directory: OpenDirectory, path: str, content: bytes) -> None:
    directory.make_directories(path.rpartition("/")[0])
    directory.write(NEW_RECORD, content)
    directory.rename(NEW_RECORD, path)


def delete_compiled(venv: Path, paths: Iterable[str]) -> None:
    """Delete compiled files, which Python makes again: it would believe them without a look at their source."""
    with open_venv(venv) as directory:
        for path in paths:
            directory.remove_file(path)
