"""Explain, for the trace, why the stamp of an environment does not say that nothing has changed."""

from __future__ import annotations

from isolate.environment.stamp.read import (
    DIRECTORY_PREFIX,
    changed_directories,
    has_state,
    is_being_changed,
    is_current,
    read_lines,
)
from isolate.environment.stamp.variables import variable_line


def why_not_up_to_date(venv: str) -> str:
    """Return the first difference between the stamp of the environment *venv* and what it depends on."""
    try:
        lines = read_lines(venv)
    except OSError:
        return "there is no stamp"
    except ValueError as error:
        return str(error)
    if is_being_changed(venv) or not has_state(venv):
        return "a command was killed, or is still running" if has_state(venv) else "state.json is missing"
    directories = [line for line in lines if line.startswith(DIRECTORY_PREFIX)]
    try:
        for line in lines[2:]:
            if not line.startswith(DIRECTORY_PREFIX) and not is_current(line, venv, variable_line):
                return f"{_subject(line)} has changed"
        changed = next(changed_directories(directories, venv), None)
    except (OSError, ValueError, IndexError) as error:
        return f"the stamp cannot be compared: {error}"
    return "nothing that it lists has changed" if changed is None else f"{venv}/{changed} has changed"


def _subject(line: str) -> str:
    """Return what a line of a stamp is about: a path, the environment, or a variable."""
    kind, _, rest = line.partition(" ")
    if kind == "file":
        return rest.split(" ", 4)[-1]
    if kind == "env":
        return f"variable {rest.rpartition(' ')[2]}"
    if kind == "setting":
        return f"variable {rest.partition(' ')[0]}"
    return rest.rpartition("\t")[2] if kind == "link" else rest
