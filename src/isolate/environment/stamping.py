"""Writing the stamp: which files and directories "nothing to do" depends on."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from isolate import atomic
from isolate.environment.records import STAMP, WORK, read_state
from isolate.environment.stamp import TICK, stamp_text

if TYPE_CHECKING:
    from pathlib import Path

    from isolate.application import Application
    from isolate.declarations.model import Declarations
    from isolate.interpreters.model import Interpreter


def write_stamp(application: Application, declarations: Declarations, interpreter: Interpreter, answer: str) -> None:
    """Remember everything as it stands now, so that the next run can answer without looking closer.

    Where a source tree is installed by copy, or the record cannot be written, there is no stamp, and every run looks.
    """
    venv = application.venv
    state = read_state(venv)
    if state is None or any(
        one.key.startswith("tree:") and not one.identity.endswith(":editable") for one in state.installed.values()
    ):
        remove_stamp(venv)
        return
    time.sleep(TICK)
    with contextlib.suppress(OSError, ValueError):
        text = stamp_text(
            str(venv),
            answer,
            inputs=_inputs(application, declarations, interpreter),
            folders=sorted({folder for one in state.installed.values() for folder in one.folders}),
            links=["bin/python"],
        )
        atomic.write(venv / STAMP, text.encode(), by=venv / WORK)
        (venv / WORK).rmdir()


def remove_stamp(venv: Path) -> None:
    """Forget that there was nothing to do."""
    with contextlib.suppress(OSError):
        (venv / STAMP).unlink()


def _inputs(application: Application, declarations: Declarations, interpreter: Interpreter) -> list[str]:
    root = application.root
    named = [root / "pyproject.toml", root / "requirements.txt", application.lock_file, application.venv / "pyvenv.cfg"]
    versions = [folder / ".python-version" for folder in (root, *root.parents)]
    trees = [one.path for one in declarations.requirements if one.path is not None]
    metadata = [path / name for path in trees for name in ("pyproject.toml", "setup.py", "setup.cfg")]
    paths = [*named, *declarations.files, *versions, *metadata]
    return list(dict.fromkeys([*map(str, paths), interpreter.executable]))
