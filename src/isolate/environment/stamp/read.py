"""Everything that "nothing to do" depends on, in a form that is looked through in milliseconds.

A stamp is a text file. Its lines are a version, the answer to give, and then facts:

    at PATH                          where the environment stood
    file SIZE MTIME CTIME INODE PATH an input, or the interpreter, as it was (times in nanoseconds)
    none PATH                        an input that was not there
    env DIGEST NAME                  a variable that a declaration names, `-` if it was not set; its value stays unsaid
    link TARGET PATH                 a symbolic link and what it pointed to
    dir MTIME PATH                   a directory of the environment that holds modules, scripts or metadata; a time
                                     of -1, which none has, says that nobody knows what is in it

This module is imported by every run of the command and so imports next to nothing.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing costs milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FORMAT = "isolate stamp 2"
FOLDER = "dir "


def up_to_date_message(venv: str, variable_line: Callable[[str, str], str]) -> str | None:
    """Return the answer that the stamp of the environment *venv* holds, if all that it depends on is as it was.

    *variable_line* is that of `variables`; only whoever calls can tell when to import it.
    """
    try:
        with open(f"{venv}/.isolate/stamp", encoding="utf-8") as file:
            lines = file.read().split("\n")
    except (OSError, ValueError):
        return None
    if lines[0] != FORMAT or any(map(os.path.lexists, (f"{venv}/.isolate/work", f"{venv}/../.isolate-staging"))):
        return None
    folders = [line for line in lines if line.startswith(FOLDER)]
    try:
        facts = (line for line in lines[2:-1] if not line.startswith(FOLDER))
        current = all(_holds(line, venv, variable_line) for line in facts)
        return lines[1] if current and next(_changed(folders, venv), None) is None else None
    except (OSError, ValueError, IndexError):
        return None


def _holds(line: str, venv: str, variable_line: Callable[[str, str], str]) -> bool:
    kind, _, rest = line.partition(" ")
    if kind == "file":
        *_, path = rest.split(" ", 4)
        return line == file_line(path)
    if kind == "none":
        return not os.path.lexists(rest)
    if kind == "at":
        return rest == venv
    if kind == "env":
        return line == variable_line(rest.rpartition(" ")[2], venv)
    target, _, path = rest.partition("\t")
    return kind == "link" and os.readlink(f"{venv}/{path}") == target


def _changed(folders: list[str], venv: str) -> Iterator[str]:
    """Yield the paths in *venv* of those *folders*, lines of a stamp, that are not as they were."""
    at = os.open(venv, os.O_RDONLY)  # a path is found sooner from here than from the root
    try:
        for line in folders:
            _, mtime, path = line.split(" ", 2)
            try:
                if os.stat(path, dir_fd=at).st_mtime_ns != int(mtime):
                    yield path
            except OSError:
                yield path
    finally:
        os.close(at)


def stamped_folders(venv: str) -> dict[str, int] | None:
    """Return the directories in *venv* that the stamp has, with their times; None if there is no stamp to tell."""
    try:
        with open(f"{venv}/.isolate/stamp", encoding="utf-8") as file:
            lines = file.read().split("\n")
        if lines[0] != FORMAT:
            return None
        folders = [line.split(" ", 2) for line in lines if line.startswith(FOLDER)]
        return {path: int(mtime) for _, mtime, path in folders}
    except (OSError, ValueError):
        return None


def file_line(path: str) -> str:
    """Return the line for an input, there or not."""
    try:
        status = os.stat(path)
    except OSError:
        return f"none {path}"
    return f"file {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino} {path}"
