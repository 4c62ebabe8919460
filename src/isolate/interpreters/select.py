"""Which of the interpreters of this machine an application gets, and why that one."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from isolate.errors import DeclarationError, NoInterpreter
from isolate.interpreters.discovery import describe, every, identity_of, on_path, python_in, version_manager_pythons
from isolate.interpreters.interpreter import Choice, Interpreter
from isolate.interpreters.request import PythonRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from packaging.specifiers import SpecifierSet

OLDEST = (3, 8)
"""The oldest Python for which environments are made."""

MOST_SHOWN = 8


def choose(  # noqa: PLR0913 - everything that has a say, by name
    *,
    asked: str | None,
    setting: tuple[str, Path] | None = None,
    version_file: tuple[str, Path] | None,
    current: Interpreter | None,
    requires_python: SpecifierSet | None,
    served: Callable[[Interpreter], bool] | None = None,
    cache: Path,
    environ: Mapping[str, str],
) -> Choice:
    """Return the interpreter for an application; raise `NoInterpreter` if none fits.

    It is the one *asked* for, else that of the *setting* (in the file beside it), else that of the *version_file*
    (`.python-version`), else the *current* one of the environment if it still exists and meets *requires_python*, else
    `python3` on `PATH` if it does, else the newest final one that does. Of these last two, one that is *served* by the
    lock that is there goes before one that is not.
    """
    machine = _Machine(cache=cache, environ=environ)
    if asked is not None:
        return _named(
            PythonRequest(text=asked.strip(), source=f"--python {asked}", folder=Path()), requires_python, machine
        )
    if setting is not None:
        text, path = setting
        source = f'python = "{text}" in {path.name}'
        return _named(PythonRequest(text=text.strip(), source=source, folder=path.parent), requires_python, machine)
    if version_file is not None:
        text, path = version_file
        return _named(
            PythonRequest(text=text, source=f"{path.name}: {text}", folder=path.parent), requires_python, machine
        )
    if current is not None and (same := _still_there(current, machine)) and fits(same, requires_python):
        return Choice(interpreter=same, reason="the environment has it")
    return _usual(requires_python, served, machine)


def fits(interpreter: Interpreter, requires_python: SpecifierSet | None) -> bool:
    """Say whether *interpreter* is one for which environments are made, and which *requires_python* allows."""
    if _number(interpreter.version) < OLDEST:
        return False
    return requires_python is None or requires_python.contains(interpreter.version, prereleases=True)


def version_file_of(root: Path) -> tuple[str, Path] | None:
    """Return what `.python-version` in *root* or above asks for, and where it stands; None if there is none.

    The search ends at the top of a git repository. Raises `DeclarationError` for a file that says nothing.
    """
    path = next((path for path in version_files(root) if path.is_file()), None)
    return None if path is None else (_first_line(path), path)


def version_files(root: Path) -> Iterator[Path]:
    """Yield where a `.python-version` for *root* is looked for, there or not, the nearest first."""
    for folder in (root, *root.parents):
        yield folder / ".python-version"
        if (folder / ".git").exists():
            return


def _first_line(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    for line in lines:
        if line.strip() and not line.lstrip().startswith("#"):
            return line.strip()
    raise DeclarationError("names no version", hint="write one into it, `3.12` for example, or delete it", file=path)


class _Machine(NamedTuple):
    """Where interpreters are looked for, and where facts about them are remembered."""

    cache: Path
    environ: Mapping[str, str]

    def describe(self, executable: str) -> Interpreter:
        return describe(executable, cache=self.cache, environ=self.environ)

    def on_path(self, *names: str) -> Iterator[Interpreter]:
        return on_path(names, cache=self.cache, environ=self.environ)

    def everything(self) -> list[Interpreter]:
        """Return all interpreters, best first: final ones, CPython, the newest."""
        return sorted(every(cache=self.cache, environ=self.environ), key=_rank, reverse=True)


def _named(request: PythonRequest, requires_python: SpecifierSet | None, machine: _Machine) -> Choice:
    """Return the interpreter that *wish* names: a path, an environment's directory, a version, or a range."""
    _refuse_old(request)
    if (there := _at(request, machine)) is not None:
        return _checked(there, request, requires_python)
    others = []
    for interpreter in _candidates(request, machine):
        if request.is_met_by(interpreter):
            if fits(interpreter, requires_python):
                return Choice(interpreter=interpreter, reason=request.source)
            others.append(interpreter)
    if others:
        return _checked(others[0], request, requires_python)
    raise NoInterpreter(
        f"{request.source} asks for a Python that is not installed",
        facts=_shown(machine.everything()),
        hint="install it, or choose another with --python",
    )


def _at(request: PythonRequest, machine: _Machine) -> Interpreter | None:
    """Return the interpreter at the path that *wish* is, if it is one; a version manager's names are paths, too."""
    if request.is_version:
        return None
    path = os.path.normpath(os.path.join(request.folder, os.path.expanduser(request.text)))
    kept = [one for one in version_manager_pythons(machine.environ) if one.parent.parent.name == request.text]
    for candidate in (*kept, path, python_in(path)):
        if candidate and os.path.isfile(candidate):
            return machine.describe(os.path.abspath(candidate))
    if os.sep in request.text:
        missing = f"neither {path} nor {os.path.join(path, 'bin/python3')} is a file"
        raise NoInterpreter(f"{request.source} names no Python: {missing}", hint="name another with --python")
    return None


def _candidates(request: PythonRequest, machine: _Machine) -> Iterator[Interpreter]:
    yield from machine.on_path(*request.commands)
    yield from machine.everything()


def _refuse_old(request: PythonRequest) -> None:
    if request.version and "." in request.version and _number(request.version) < OLDEST:
        raise _too_old(request.version, request)


def _too_old(version: str, request: PythonRequest, *facts: str) -> NoInterpreter:
    oldest = ".".join(map(str, OLDEST))
    return NoInterpreter(
        f"Python {version} is too old: environments are made for {oldest} and later",
        facts=(*facts, f"asked for by {request.source}"),
        hint="choose a newer one with --python",
    )


def _checked(found: Interpreter, request: PythonRequest, requires_python: SpecifierSet | None) -> Choice:
    if _number(found.version) < OLDEST:
        raise _too_old(found.version, request, found.executable)
    if not fits(found, requires_python):
        raise NoInterpreter(
            "the Python that was asked for is not one that the application allows",
            facts=(f"{request.source}: Python {found.version}", f"requires-python: {requires_python}"),
            hint="change one of the two",
        )
    return Choice(interpreter=found, reason=request.source)


def _still_there(current: Interpreter, machine: _Machine) -> Interpreter | None:
    if identity_of(current.executable) == current.identity:
        return current
    try:
        return machine.describe(current.executable)
    except NoInterpreter:
        return None


def _usual(
    requires_python: SpecifierSet | None, served: Callable[[Interpreter], bool] | None, machine: _Machine
) -> Choice:
    first = next(machine.on_path("python3"), None)
    usual = first if first is not None and fits(first, requires_python) else None
    if served is not None and not (usual and served(usual)):
        for interpreter in machine.everything():
            if fits(interpreter, requires_python) and served(interpreter):
                return Choice(interpreter=interpreter, reason="the newest that the lock is for")
    if usual is not None:
        return Choice(interpreter=usual, reason="python3 on PATH")
    return _newest(requires_python, machine)


def _newest(requires_python: SpecifierSet | None, machine: _Machine) -> Choice:
    everything = machine.everything()
    wanted = f"meets requires-python {requires_python}" if requires_python else "was found"
    for interpreter in everything:
        if fits(interpreter, requires_python):
            return Choice(interpreter=interpreter, reason=f"the newest that {wanted}")
    raise NoInterpreter(
        f"no Python here {wanted}" if requires_python else "no Python was found",
        facts=_shown(everything),
        hint="install one that does, or name it with --python",
    )


def _rank(interpreter: Interpreter) -> tuple[bool, bool, bool, tuple[int, ...], str]:
    final = re.fullmatch(r"[\d.]+", interpreter.version) is not None
    numbers = tuple(int(part) for part in re.findall(r"\d+", interpreter.version))
    default = not interpreter.free_threaded
    return final, interpreter.implementation == "cpython", default, numbers, interpreter.executable


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def _shown(found: Sequence[Interpreter]) -> tuple[str, ...]:
    return tuple(f"{one.version}  {one.executable}" for one in found[:MOST_SHOWN])
