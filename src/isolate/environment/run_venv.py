"""Run the standard library's `venv` as a program of the interpreter that an environment is for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from isolate import process
from isolate.errors import IsolateError

if TYPE_CHECKING:
    from pathlib import Path

    from isolate.interpreters.interpreter import Interpreter

ENVIRON = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}


class VenvFailed(IsolateError):
    """The interpreter cannot create virtual environments."""

    code = "venv-failed"
    remedy = "Choose a different Python, or install the `venv` module of this one."


def run_venv(interpreter: Interpreter, home: Path) -> None:
    """Create an environment without pip at *home*; raise `VenvFailed` if the interpreter cannot."""
    argv = (interpreter.executable, "-I", "-m", "venv", "--without-pip", str(home))
    finished = process.run(argv, env=ENVIRON, cwd=home.parent)
    if finished.status:
        raise VenvFailed(
            f"Python {interpreter.version} cannot create a virtual environment ({interpreter.executable} -m venv)",
            facts=tuple((finished.errors + finished.output).strip().splitlines()[-3:]),
            hint="choose a different Python with --python; on Debian and Ubuntu install python3-venv",
        )
