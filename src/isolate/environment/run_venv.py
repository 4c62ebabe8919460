"""The standard library's `venv`, run as a program of the interpreter that an environment is for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from isolate import process
from isolate.environment.template_file import TemplateFile
from isolate.errors import IsolateError

if TYPE_CHECKING:
    from isolate.interpreters.interpreter import Interpreter

CLEAN = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}


def run_venv(interpreter: Interpreter, home: Path) -> list[TemplateFile]:
    """Return what `venv` makes in *home*, an environment without pip; raise `IsolateError` if it cannot."""
    argv = (interpreter.executable, "-I", "-m", "venv", "--without-pip", str(home))
    finished = process.run(argv, env=CLEAN, cwd=home.parent)
    if finished.status:
        raise IsolateError(
            f"Python {interpreter.version} cannot make a virtual environment ({interpreter.executable} -m venv)",
            facts=tuple((finished.errors + finished.output).strip().splitlines()[-3:]),
            hint="choose another Python with --python; on Debian and Ubuntu install python3-venv",
        )
    return list(_pieces(home))


def _pieces(home: Path) -> list[TemplateFile]:
    pieces = []
    for folder, folders, files in os.walk(home):
        for name in sorted(folders + files):
            path = Path(folder, name)
            below = str(path.relative_to(home))
            mode = path.lstat().st_mode & 0o777
            if path.is_symlink():
                pieces.append(TemplateFile(below, "link", os.readlink(path), mode))
            elif path.is_dir():
                pieces.append(TemplateFile(below, "folder", "", mode))
            else:
                pieces.append(TemplateFile(below, "file", path.read_text(encoding="utf-8"), mode))
    return pieces
