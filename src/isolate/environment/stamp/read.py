"""Everything that "nothing to do" depends on, in a form that is checked in milliseconds.

A stamp is a record with a code, and counts only if this user's isolate wrote it: see `isolate.signed_record`. Of its
content, the first line is the format, the second the message to print, the last is `end`. The others are facts:

    at PATH                          the path of the environment
    file SIZE MTIME CTIME INODE PATH an input, or the interpreter (times in nanoseconds)
    none PATH                        an input that did not exist
    env DIGEST NAME                  a variable that a declaration refers to, `-` if it was not set; never its value
    setting NAME VALUE               a variable that says where pip's settings are, or what they demand
    link TARGET PATH                 a symbolic link and its target
    dir MTIME PATH                   a directory of the environment that holds modules, scripts or metadata; the mtime
                                     is -1, which no directory has, if its contents are not known

Every run of the command imports this module, so it imports only what reads a record. That is why it joins the paths
below `.isolate` itself instead of taking them from `records`.
"""

from __future__ import annotations

import os

from isolate.signed_record import read_signed

TYPE_CHECKING = False  # importing typing costs milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FORMAT = "isolate stamp 3"
KIND = "stamp"
END = "end"
DIRECTORY_PREFIX = "dir "
NEEDED = ("at ", "file ", "setting ", "link ", DIRECTORY_PREFIX)
"""The kinds of facts that every stamp has."""


def up_to_date_message(venv: str, variable_line: Callable[[str, str], str]) -> str | None:
    """Return the message of the stamp of the environment *venv* if everything it depends on is unchanged.

    *variable_line* is the function of that name in `variables`. The caller passes it, so that it can import the module
    only if a stamp has variables.
    """
    try:
        lines = read_lines(venv)
    except (OSError, ValueError):
        return None
    if is_being_changed(venv) or not has_state(venv):
        return None
    directories = [line for line in lines if line.startswith(DIRECTORY_PREFIX)]
    try:
        facts = (line for line in lines[2:] if not line.startswith(DIRECTORY_PREFIX))
        current = all(is_current(line, venv, variable_line) for line in facts)
        return lines[1] if current and next(changed_directories(directories, venv), None) is None else None
    except (OSError, ValueError, IndexError):
        return None


def is_being_changed(venv: str) -> bool:
    """Return whether a command is changing the environment *venv*, or was killed while it did.

    So it may be if the environment or its records are links, which every command refuses.
    """
    unfinished = any(map(os.path.lexists, (f"{venv}/.isolate/work", f"{venv}/../.isolate-staging")))
    return unfinished or os.path.islink(venv) or os.path.islink(f"{venv}/.isolate")


def has_state(venv: str) -> bool:
    """Return whether the environment *venv* has the record that other programs take as a sign of its last change."""
    return os.path.isfile(f"{venv}/.isolate/state.json")


def read_lines(venv: str) -> list[str]:
    """Return the lines of the stamp of *venv* but the last; raise `OSError` or `ValueError` if none counts.

    So it is if the stamp was not written by this user's isolate, has another format, or lacks a kind of fact that every
    stamp has.
    """
    lines = read_signed(KIND, f"{venv}/.isolate/stamp").decode().split("\n")
    if lines[0] != FORMAT or lines[-2:] != [END, ""]:
        raise ValueError("the stamp was cut off, or has another format")
    if not all(any(line.startswith(kind) for line in lines[2:]) for kind in NEEDED):
        raise ValueError("the stamp lacks facts")
    return lines[:-2]


def is_current(line: str, venv: str, variable_line: Callable[[str, str], str]) -> bool:
    """Return whether what *line* of a stamp says is still so; raise `OSError` or `ValueError` if it cannot tell."""
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
    if kind == "setting":
        return line == setting_line(rest.partition(" ")[0])
    target, _, path = rest.partition("\t")
    return kind == "link" and os.readlink(f"{venv}/{path}") == target


def changed_directories(lines: list[str], venv: str) -> Iterator[str]:
    """Yield the directories in *lines* of a stamp that have another mtime in *venv*."""
    root = os.open(venv, os.O_RDONLY)  # the kernel resolves a path faster from here than from the root
    try:
        for line in lines:
            _, mtime, path = line.split(" ", 2)
            try:
                if os.stat(path, dir_fd=root).st_mtime_ns != int(mtime):
                    yield path
            except OSError:
                yield path
    finally:
        os.close(root)


def stamped_mtimes(venv: str) -> dict[str, int] | None:
    """Return the directories of the stamp of *venv* with their mtimes (ns); None if there is no readable stamp."""
    try:
        directories = [line.split(" ", 2) for line in read_lines(venv) if line.startswith(DIRECTORY_PREFIX)]
        return {path: int(mtime) for _, mtime, path in directories}
    except (OSError, ValueError):
        return None


def setting_line(name: str) -> str:
    """Return the line for the variable *name*, which holds no secret; an empty one counts as not set, as for pip."""
    return f"setting {name} {os.environ.get(name, '')}"


def file_line(path: str) -> str:
    """Return the line for an input, whether it exists or not."""
    try:
        status = os.stat(path)
    except OSError:
        return f"none {path}"
    return f"file {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino} {path}"
