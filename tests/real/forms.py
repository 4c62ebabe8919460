"""Small applications, one for each form in which requirements are declared, and what a user does with them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from conftest import Result, site, versions
from kit.git import commit, git

Isolate = Callable[..., Result]


class Form(NamedTuple):
    """An application.

    `files` are its files; in one of them, the key that declares requirements is between signs of percent. `expected`
    are the versions that `sync` with `options` installs. `change` is an edit: the name of a file, a text in it, and
    what takes its place; `check` notices it. Afterwards, `sync` installs `changed`, if that is given.
    """

    files: Mapping[str, str]
    expected: Mapping[str, str]
    change: tuple[str, str, str]
    changed: Mapping[str, str] = {}
    options: tuple[str, ...] = ()

    def texts(self, key: Callable[[str], str] = str) -> dict[str, str]:
        """Return the contents of the files, the key that declares requirements changed by *key*."""
        return {name: _with_key(text, key) for name, text in self.files.items()}


def _with_key(text: str, change: Callable[[str], str]) -> str:
    before, *rest = text.split("%")
    return before + "".join(change(part) if number % 2 == 0 else part for number, part in enumerate(rest))


def build_system(backend: str, *requires: str) -> str:
    listed = ", ".join(f'"{requirement}"' for requirement in requires)
    return f'[build-system]\nrequires = [{listed}]\nbuild-backend = "{backend}"\n'


def write(app: Path, files: Mapping[str, str]) -> None:
    """Write *files* into *app*; in them, `@ABOVE@` stands for the directory above it."""
    for name, text in files.items():
        (app / name).parent.mkdir(parents=True, exist_ok=True)
        (app / name).write_text(text.replace("@ABOVE@", str(app.parent)))


def pip_check(app: Path) -> str:
    done = subprocess.run([app / ".venv/bin/python", "-m", "pip", "check"], capture_output=True, text=True, check=False)
    return done.stdout


def prove(isolate: Isolate, app: Path, form: Form) -> None:
    """Do with *form* in *app* what a user does, and check each answer."""
    write(app, form.texts())
    isolate("sync", *form.options, cwd=app)
    is_right(isolate, app, form.expected, *form.options)
    name, old, new = form.change
    text = (app / name).read_text()
    assert old in text
    (app / name).write_text(text.replace(old, new))
    isolate("check", cwd=app, status=1)
    if form.changed:
        isolate("sync", *form.options, cwd=app)
        assert versions(app / ".venv") == form.changed


def is_right(isolate: Isolate, app: Path, expected: Mapping[str, str], *options: str) -> None:
    """Assert that the environment of *app* has the *expected* versions, and that every command is satisfied with it."""
    assert versions(app / ".venv") == expected
    assert re.search("^nothing to do", isolate("sync", *options, cwd=app).out, re.MULTILINE)
    isolate("check", cwd=app)
    if any(site(app).glob("pip-*.dist-info")):
        assert pip_check(app) == "No broken requirements found.\n"


def repository(directory: Path, tag: str = "1.0") -> Path:
    """Commit everything in *directory* to a git repository of its own, with a *tag*; return *directory*."""
    git(directory, "init")
    commit(directory)
    git(directory, "tag", "-a", "-m", tag, tag)
    return directory
