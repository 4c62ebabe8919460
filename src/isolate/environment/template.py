"""The template of environments: what the standard library's `venv` creates, copied into each new environment.

`venv` runs once per interpreter. The store keeps the result in `skeleton.json`, a list of `TemplateFile` rows. The name
of that file and its contents are those of older versions, which may use the same store.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from isolate import fs
from isolate.environment.records import TEMPLATE, template_record
from isolate.store.manifest import File

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.interpreters.interpreter import Interpreter
    from isolate.store.store import Store

DIRECTORY, LINK, FILE = "folder", "link", "file"

TEMPLATE_PATH = re.compile(
    r"pyvenv\.cfg|\.gitignore|lib64|bin/(activate(\.\w+)?|Activate\.ps1|(python|pypy)[\d.t]*|\U0001D70Bthon)"
)
"""The paths of the files that `venv` creates, for any interpreter."""

PLACEHOLDER = "{the environment}"
"""Stands in the template for the path of the environment, so that the template holds no path of the store."""


class TemplateFile(NamedTuple):
    """One path of a template, relative to the environment.

    `kind` is `DIRECTORY`, `LINK` (then `content` is its target) or `FILE`; `mode` is that of the file that
    `venv` made; only whether it is executable counts.
    """

    path: str
    kind: str
    content: str
    mode: int


GITIGNORE = TemplateFile(".gitignore", FILE, "*\n", 0o644)
"""Keeps an environment out of git. `venv` itself creates the file since Python 3.13."""


def create_from_template(tree: Path, final: Path, interpreter: Interpreter, store: Store) -> None:
    """Create in *tree* an environment without pip that will be moved to *final*.

    Raises `IsolateError` if the interpreter cannot create environments.
    """
    files = template_of(final, interpreter, store)
    if files is None:
        with fs.scratch_directory(tree.parent / "venv") as scratch:
            home = scratch / final.name
            files = _completed(_new_template(interpreter, home), str(home), final)
    record = _write_tree(tree, files)
    (tree / TEMPLATE).parent.mkdir(exist_ok=True)
    (tree / TEMPLATE).write_bytes(template_record(final, record))


def template_of(final: Path, interpreter: Interpreter, store: Store) -> list[TemplateFile] | None:
    """Return what the environment *final* of *interpreter* consists of.

    None if only `venv` itself can tell: the activate scripts quote some paths, each in its own way. Raises
    `IsolateError` if the interpreter cannot create environments.
    """
    if shlex.quote(str(final)) != str(final):
        return None
    return _completed(_stored_template(interpreter, store), PLACEHOLDER, final)


def _completed(files: list[TemplateFile], place: str, final: Path) -> list[TemplateFile]:
    """Return *files*, made at *place*, for *final*, with what every environment has."""
    extra = [] if any(file.path == GITIGNORE.path for file in files) else [GITIGNORE]
    return _with_path([*files, *extra], place, str(final))


def is_template_path(path: str) -> bool:
    """Return whether `venv` creates a file called *path*, relative to the environment, for some interpreter."""
    return TEMPLATE_PATH.fullmatch(path) is not None


def _stored_template(interpreter: Interpreter, store: Store) -> list[TemplateFile]:
    """Return the template for *interpreter*; create it in *store* unless it is there."""
    directory = store.paths.template(f"{interpreter.executable} {interpreter.fingerprint}")
    path = directory / "skeleton.json"
    with contextlib.suppress(OSError, ValueError, TypeError):
        return _read_template(store.find(path))
    directory.mkdir(parents=True, exist_ok=True)
    with store.scratch() as scratch:
        home = scratch / ".venv"
        files = _with_path(_new_template(interpreter, home), str(home), PLACEHOLDER)
    fs.write(path, json.dumps(files).encode(), staging=store.paths.tmp)
    return files


def _read_template(path: Path) -> list[TemplateFile]:
    """Return the template in the file *path*; raise `OSError`, `ValueError` or `TypeError` if it is not complete."""
    files = [TemplateFile(*row) for row in json.loads(path.read_bytes())]
    types = {tuple(map(type, file)) for file in files}
    if types != {(str, str, str, int)} or not any(file.path == "pyvenv.cfg" for file in files):
        raise ValueError(f"{path} is not a template")
    return files


def _with_path(files: list[TemplateFile], old: str, new: str) -> list[TemplateFile]:
    return [file._replace(content=file.content.replace(old, new)) for file in files]


def _new_template(interpreter: Interpreter, home: Path) -> list[TemplateFile]:
    """Create an environment at *home*, which must not exist, and return what it consists of."""
    from isolate.environment.run_venv import run_venv

    run_venv(interpreter, home)
    paths = (Path(parent, name) for parent, directories, files in os.walk(home) for name in sorted(directories + files))
    return [_template_file(path, home) for path in paths]


def _template_file(path: Path, home: Path) -> TemplateFile:
    relative, mode = str(path.relative_to(home)), path.lstat().st_mode & 0o777
    if path.is_symlink():
        return TemplateFile(relative, LINK, os.readlink(path), mode)
    if path.is_dir():
        return TemplateFile(relative, DIRECTORY, "", mode)
    return TemplateFile(relative, FILE, path.read_text(encoding="utf-8"), mode)


def _write_tree(tree: Path, files: list[TemplateFile]) -> list[File]:
    """Create *files* in *tree*, and return what to record of them."""
    tree.mkdir(parents=True, exist_ok=True)
    record = []
    for file in files:
        path = tree / file.path
        if file.kind == DIRECTORY:
            path.mkdir(exist_ok=True)
            continue
        if file.kind == LINK:
            path.symlink_to(file.content)
        else:
            path.write_text(file.content, encoding="utf-8")
            path.chmod(0o755 if file.mode & 0o100 else 0o644)  # as with any umask of the process that ran `venv`
        record.append(_recorded(file, path))
    return record


def _recorded(file: TemplateFile, path: Path) -> File:
    status = path.lstat()
    digest = hashlib.sha256(file.content.encode()).hexdigest()
    return File(file.path, status.st_size, status.st_mtime_ns, digest, "file")


def site_packages(venv: Path, interpreter: Mapping[str, object]) -> str | None:
    """Return the site-packages of the environment *venv*, relative to it; None if it is missing.

    *interpreter* describes the Python that the environment was made from.
    """
    suffix = ".".join(str(interpreter["version"]).split(".")[:2])
    if interpreter.get("free_threaded"):
        suffix += "t"  # lib/python3.13t
    for path in sorted(venv.glob("lib/*/site-packages")):
        if path.parent.name.endswith(suffix):
            return str(path.relative_to(venv))
    return None
