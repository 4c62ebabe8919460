"""Writing the stamp: which files and directories "nothing to do" depends on."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from isolate import fs
from isolate.environment.records import STAMP, WORK, read_state
from isolate.environment.stamp.mtimes import MTIME_GRANULARITY_NS, UNKNOWN, is_recent, settled_mtime, watched
from isolate.environment.stamp.read import FOLDER, FORMAT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

LINKS = ("bin/python",)
"""The links of an environment that lead out of it."""


def write_stamp(venv: Path, answer: str, inputs: Callable[[], list[str] | None], times: Mapping[str, int]) -> None:
    """Remember everything as it was read and seen, so that the next run can answer without looking closer.

    *inputs* gives their lines, None if one of them was edited meanwhile. Then, and where a source tree is installed by
    copy or the record cannot be written, there is no stamp, and the next run looks. *times* are those of the
    directories, as `watch` has them: the next run looks into those that have another by then.
    """
    state = read_state(venv)
    if state is None or any(
        one.key.startswith("tree:") and not one.source_id.endswith(":editable") for one in state.installed.values()
    ):
        remove_stamp(venv)
        return
    with contextlib.suppress(OSError, ValueError):
        links = [f"link {os.readlink(f'{venv}/{path}')}\t{path}" for path in LINKS]  # before *inputs* looks at them
        if (lines := _settled(inputs)) is None:
            remove_stamp(venv)
            return
        folders = {folder: times.get(folder, UNKNOWN) for folder in watched(state.installed)}
        for folder in (folder for folder, changed in folders.items() if changed == UNKNOWN):
            with contextlib.suppress(OSError):
                settled_mtime(f"{venv}/{folder}")  # so that the next run, which looks there, can know it
        text = _text(str(venv), answer, facts=[*lines, *links], folders=folders)
        # what a digest was made of can be guessed at by whoever reads it
        mode = 0o600 if any(line.startswith("env ") for line in lines) else 0o644
        fs.write(venv / STAMP, text.encode(), by=venv / WORK, mode=mode)
        (venv / WORK).rmdir()


def remove_stamp(venv: Path) -> None:
    """Forget that there was nothing to do."""
    with contextlib.suppress(OSError):
        (venv / STAMP).unlink()


def _settled(inputs: Callable[[], list[str] | None]) -> list[str] | None:
    """Return the lines of the inputs when any further change of one of them will show."""
    lines = inputs()
    files = [line.split(" ", 4) for line in lines or () if line.startswith("file ")]
    if not any(is_recent(int(changed)) for _, _, *times, _ in files for changed in times):
        return lines
    time.sleep(MTIME_GRANULARITY_NS / 1e9)
    return inputs()


def _text(venv: str, answer: str, *, facts: Iterable[str], folders: Mapping[str, int]) -> str:
    """Return the stamp of the environment *venv*, whose *folders* have these times.

    Raises `ValueError` for a path that no line can hold.
    """
    lines = [FORMAT, answer, f"at {venv}", *facts]
    lines += [f"{FOLDER}{changed} {path}" for path, changed in folders.items()]
    if any("\n" in line for line in lines):
        raise ValueError("a path with a line end in it")
    return "\n".join([*lines, ""])
