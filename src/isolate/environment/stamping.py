"""Writing the stamp: which files and directories "nothing to do" depends on."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from isolate import atomic
from isolate.environment.records import STAMP, WORK, read_state
from isolate.environment.stamp import FOLDER, FORMAT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

TICK = 11_000_000
"""Nanoseconds after which a change surely gets another time than one before it, on any kernel's clock for files."""


def write_stamp(venv: Path, answer: str, inputs: Callable[[], list[str] | None]) -> None:
    """Remember everything as it stands now, so that the next run can answer without looking closer.

    *inputs* gives their lines, None if one of them was edited meanwhile. Then, and where a source tree is installed by
    copy or the record cannot be written, there is no stamp, and the next run looks.
    """
    state = read_state(venv)
    if state is None or any(
        one.key.startswith("tree:") and not one.identity.endswith(":editable") for one in state.installed.values()
    ):
        remove_stamp(venv)
        return
    with contextlib.suppress(OSError, ValueError):
        if (lines := _settled(inputs)) is None:
            remove_stamp(venv)
            return
        folders = sorted({folder for one in state.installed.values() for folder in one.folders})
        text = _text(str(venv), answer, inputs=lines, folders=folders, links=["bin/python"])
        atomic.write(venv / STAMP, text.encode(), by=venv / WORK)
        (venv / WORK).rmdir()


def remove_stamp(venv: Path) -> None:
    """Forget that there was nothing to do."""
    with contextlib.suppress(OSError):
        (venv / STAMP).unlink()


def _settled(inputs: Callable[[], list[str] | None]) -> list[str] | None:
    """Return the lines of the inputs when any further change of one of them will show."""
    lines = inputs()
    files = [line.split(" ", 4) for line in lines or () if line.startswith("file ")]
    if not any(_is_recent(int(changed)) for _, _, *times, _ in files for changed in times):
        return lines
    time.sleep(TICK / 1e9)
    return inputs()


def _text(venv: str, answer: str, *, inputs: Iterable[str], folders: Iterable[str], links: Iterable[str]) -> str:
    """Return the stamp of the environment *venv* as it stands now.

    *folders* and *links* lie below the environment. Raises `OSError` if one of them is gone, and `ValueError` for a
    path that no line can hold.
    """
    lines = [FORMAT, answer, f"at {venv}", *inputs]
    lines += [f"link {os.readlink(f'{venv}/{path}')}\t{path}" for path in links]
    lines += [f"{FOLDER}{_settled_time(f'{venv}/{path}')} {path}" for path in folders]
    if any("\n" in line for line in lines):
        raise ValueError("a path with a line end in it")
    return "\n".join([*lines, ""])


def _settled_time(folder: str) -> int:
    """Return when *folder* was changed; if that was a moment ago, make it so much earlier that a change will show."""
    changed = os.stat(folder).st_mtime_ns
    if not _is_recent(changed):
        return changed
    try:
        os.utime(folder, ns=(changed - TICK, changed - TICK))
    except PermissionError:  # somebody else's, who lets us write there
        time.sleep(TICK / 1e9)
    return os.stat(folder).st_mtime_ns


def _is_recent(nanoseconds: int) -> bool:
    return nanoseconds > time.time_ns() - TICK
