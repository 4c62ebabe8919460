"""What the standard library's `venv` makes, once per interpreter, and stamped out from there for each environment."""

from __future__ import annotations

import hashlib
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from isolate import fs
from isolate.environment.records import SKELETON
from isolate.environment.template_file import TemplateFile
from isolate.store.manifest import File

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.interpreters.interpreter import Interpreter
    from isolate.store.store import Store

IGNORED = TemplateFile(".gitignore", "file", "*\n", 0o644)
"""Keeps an environment out of git; `venv` itself makes it from Python 3.13 on."""


def create_from_template(tree: Path, final: Path, interpreter: Interpreter, store: Store) -> None:
    """Make in *tree* an environment without pip that will stand at *final*; raise `IsolateError` if `venv` cannot."""
    if shlex.quote(str(final)) == str(final):
        pieces, where = _remembered(interpreter, store), PLACE
    else:  # activate scripts quote such a path, each in its own way: let `venv` do it
        with fs.scratch_directory(tree.parent / "venv") as scratch:
            home = scratch / final.name
            pieces, where = _made(interpreter, home), str(home)
    if not any(piece.path == IGNORED.path for piece in pieces):
        pieces.append(IGNORED)
    _stamp_out(tree, [piece._replace(content=piece.content.replace(where, str(final))) for piece in pieces])


PLACE = "{the environment}"
"""What a remembered skeleton has where the path of the environment belongs: a store may be moved."""


def _remembered(interpreter: Interpreter, store: Store) -> list[TemplateFile]:
    folder = store.paths.template(f"{interpreter.executable} {interpreter.fingerprint}")
    record = folder / "skeleton.json"
    try:
        return [TemplateFile(*row) for row in json.loads(record.read_bytes())]
    except (OSError, ValueError, TypeError):
        pass
    folder.mkdir(parents=True, exist_ok=True)
    with store.scratch() as scratch:
        home = scratch / ".venv"
        pieces = _made(interpreter, home)
    here = [piece._replace(content=piece.content.replace(str(home), PLACE)) for piece in pieces]
    fs.write(record, json.dumps(here).encode(), staging=store.paths.tmp)
    return here


def _made(interpreter: Interpreter, home: Path) -> list[TemplateFile]:
    from isolate.environment.run_venv import run_venv

    return run_venv(interpreter, home)


def _stamp_out(tree: Path, pieces: list[TemplateFile]) -> None:
    tree.mkdir(parents=True, exist_ok=True)
    files = []
    for piece in pieces:
        path = tree / piece.path
        if piece.kind == "folder":
            path.mkdir(exist_ok=True)
            continue
        if piece.kind == "link":
            path.symlink_to(piece.content)
        else:
            path.write_text(piece.content, encoding="utf-8")
            path.chmod(piece.mode)
        files.append(_file(piece, path))
    (tree / SKELETON).parent.mkdir(exist_ok=True)
    (tree / SKELETON).write_text(json.dumps(files), encoding="utf-8")


def _file(piece: TemplateFile, path: Path) -> File:
    status = path.lstat()
    digest = hashlib.sha256(piece.content.encode()).hexdigest()
    return File(piece.path, status.st_size, status.st_mtime_ns, digest, "file")


def site_packages(venv: Path, interpreter: Mapping[str, object]) -> str | None:
    """Return the directory of modules below the environment *venv*, made from *interpreter*; None if it is gone."""
    ending = ".".join(str(interpreter["version"]).split(".")[:2])
    if interpreter.get("free_threaded"):
        ending += "t"  # lib/python3.13t
    for path in sorted(venv.glob("lib/*/site-packages")):
        if path.parent.name.endswith(ending):
            return str(path.relative_to(venv))
    return None
