"""Writing the stamp: which files and directories "nothing to do" depends on."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from isolate import atomic
from isolate.environment.records import STAMP, WORK, read_state
from isolate.environment.stamp import TICK, stamp_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


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
    time.sleep(TICK)
    with contextlib.suppress(OSError, ValueError):
        if (lines := inputs()) is None:
            remove_stamp(venv)
            return
        folders = sorted({folder for one in state.installed.values() for folder in one.folders})
        text = stamp_text(str(venv), answer, inputs=lines, folders=folders, links=["bin/python"])
        atomic.write(venv / STAMP, text.encode(), by=venv / WORK)
        (venv / WORK).rmdir()


def remove_stamp(venv: Path) -> None:
    """Forget that there was nothing to do."""
    with contextlib.suppress(OSError):
        (venv / STAMP).unlink()
