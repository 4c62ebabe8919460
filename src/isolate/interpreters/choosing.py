"""Which of the interpreters of this machine an application gets, and why that one."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from isolate.errors import DeclarationError, NoInterpreter
from isolate.interpreters.discovery import describe, every, identity_of
from isolate.interpreters.model import Choice, Interpreter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.specifiers import SpecifierSet

OLDEST = (3, 8)
"""The oldest Python for which environments are made."""

MOST_SHOWN = 8


def choose(  # noqa: PLR0913 - everything that has a say, by name
    *,
    asked: str | None,
    version_file: tuple[str, Path] | None,
    current: Interpreter | None,
    requires_python: SpecifierSet | None,
    cache: Path,
    environ: Mapping[str, str],
) -> Choice:
    """Return the interpreter for an application; raise `NoInterpreter` if none fits.

    It is the one *asked* for, else that of the *version_file* (`.python-version`), else the *current* one of the
    environment if it still exists and meets *requires_python*, else `python3` on `PATH` if it does, else the newest
    final one that does.
    """
    if asked is not None:
        return _fitting(_find(asked, cache, environ, f"--python {asked}"), f"--python {asked}", requires_python)
    if version_file is not None:
        wanted, path = version_file
        return _fitting(_find(wanted, cache, environ, f"{path} ({wanted})"), f"{path.name}: {wanted}", requires_python)
    if current is not None and (same := _still_there(current, cache, environ)) and fits(same, requires_python):
        return Choice(interpreter=same, reason="the environment has it")
    first = _on_path(cache, environ)
    if first is not None and fits(first, requires_python):
        return Choice(interpreter=first, reason="python3 on PATH")
    return _newest(requires_python, cache, environ)


def fits(interpreter: Interpreter, requires_python: SpecifierSet | None) -> bool:
    """Say whether *interpreter* is one for which environments are made, and which *requires_python* allows."""
    if _number(interpreter) < OLDEST:
        return False
    return requires_python is None or requires_python.contains(interpreter.version, prereleases=True)


def version_file_of(root: Path) -> tuple[str, Path] | None:
    """Return what `.python-version` in *root* or above asks for, and where it stands; None if there is none.

    The search ends at the top of a git repository. Raises `DeclarationError` for a file that says nothing.
    """
    for folder in (root, *root.parents):
        path = folder / ".python-version"
        if path.is_file():
            return _first_line(path), path
        if (folder / ".git").exists():
            return None
    return None


def _first_line(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    for line in lines:
        if line.strip() and not line.lstrip().startswith("#"):
            return line.strip()
    raise DeclarationError("names no version", hint="write one into it, `3.12` for example, or delete it", file=path)


def _find(wanted: str, cache: Path, environ: Mapping[str, str], source: str) -> Interpreter:
    """Return the interpreter that *wanted* names: a path, an environment's directory, a version, or a range."""
    path = Path(wanted).expanduser()
    if os.sep in wanted or path.is_dir():
        for candidate in (path, path / "bin" / "python"):
            if candidate.is_file():
                return describe(str(candidate.absolute()), cache=cache, environ=environ)
        raise NoInterpreter(f"{source} names no Python: {path} is not there", hint="name another one with --python")
    found = next(every(wanted.removeprefix("cpython-"), environ), None)
    if found is None:
        raise NoInterpreter(
            f"{source} asks for a Python that is not installed",
            facts=_installed(environ),
            hint=f"install Python {wanted}, or choose one of these with --python",
        )
    return found


def _fitting(found: Interpreter, reason: str, requires_python: SpecifierSet | None) -> Choice:
    if _number(found) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise NoInterpreter(
            f"Python {found.version} is too old: environments are made for {oldest} and later",
            facts=(found.executable, f"asked for by {reason}"),
            hint="choose a newer one with --python",
        )
    if requires_python is not None and not fits(found, requires_python):
        raise NoInterpreter(
            "the Python that was asked for is not one that the application allows",
            facts=(f"{reason}: Python {found.version}", f"requires-python: {requires_python}"),
            hint="change one of the two",
        )
    return Choice(interpreter=found, reason=reason)


def _still_there(current: Interpreter, cache: Path, environ: Mapping[str, str]) -> Interpreter | None:
    if identity_of(current.executable) == current.identity:
        return current
    try:
        return describe(current.executable, cache=cache, environ=environ)
    except NoInterpreter:
        return None


def _on_path(cache: Path, environ: Mapping[str, str]) -> Interpreter | None:
    """Return the `python3` that a shell would start, the real one behind a shim; None if it does not run."""
    path = environ.get("PATH", os.defpath)
    found = shutil.which("python3", path=path)
    if found is None:
        return None
    try:
        return describe(found, cache=cache, environ=environ)
    except NoInterpreter:
        return None


def _newest(requires_python: SpecifierSet | None, cache: Path, environ: Mapping[str, str]) -> Choice:
    del cache
    everything = sorted(every(None, environ), key=_rank, reverse=True)
    for interpreter in everything:
        if fits(interpreter, requires_python):
            return Choice(interpreter=interpreter, reason=f"the newest that meets requires-python {requires_python}")
    raise NoInterpreter(
        f"no Python here meets requires-python {requires_python}" if requires_python else "no Python was found",
        facts=tuple(f"{one.version}  {one.executable}" for one in everything[:MOST_SHOWN]),
        hint="install one that does, or name it with --python",
    )


def _rank(interpreter: Interpreter) -> tuple[bool, bool, bool, tuple[int, ...], str]:
    final = re.fullmatch(r"[\d.]+", interpreter.version) is not None
    numbers = tuple(int(part) for part in re.findall(r"\d+", interpreter.version)[:3])
    return (
        final,
        interpreter.implementation == "cpython",
        not interpreter.free_threaded,
        numbers,
        interpreter.executable,
    )


def _number(interpreter: Interpreter) -> tuple[int, ...]:
    return tuple(int(part) for part in interpreter.short.split("."))


def _installed(environ: Mapping[str, str]) -> tuple[str, ...]:
    found = sorted(every(None, environ), key=_rank, reverse=True)
    return tuple(f"{one.version}  {one.executable}" for one in found[:MOST_SHOWN])
