"""Which Python an application gets.

Finding interpreters is `python-discovery`'s work. What it found is remembered by the path, size and time of a binary,
so that it is asked once for each; neither it nor `packaging` is imported before it is needed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isolate import atomic
from isolate.errors import DeclarationError, NoInterpreter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.tags import Tag
    from python_discovery import PythonInfo

OLDEST = (3, 8)
"""The oldest Python for which environments are made."""

MISLEADING = ("PYTHON", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__", "CONDA_")


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    """A Python on this machine.

    `executable` is the absolute path of the real one: no shim, not that of an environment. `markers` are those of
    PEP 508. `identity` changes when the binary is replaced.
    """

    executable: str
    version: str
    implementation: str
    platform: str
    free_threaded: bool
    markers: Mapping[str, str]
    identity: str

    @property
    def short(self) -> str:
        """Return the version as far as packages care: `3.11`."""
        return ".".join(self.version.split(".")[:2])

    @property
    def kind(self) -> str:
        """Return what binary distributions depend on, as a file name: `cp311-linux_x86_64`."""
        return f"{self._tag}{'t' if self.free_threaded else ''}-{re.sub(r'[^a-zA-Z0-9]', '_', self.platform)}"

    @property
    def _tag(self) -> str:
        short = {"cpython": "cp", "pypy": "pp"}.get(self.implementation, self.implementation)
        return short + self.short.replace(".", "")

    def tags(self) -> Sequence[Tag]:
        """Return the tags of the wheels that it can use, best first (the platform compatibility tags specification).

        They are made for its version; it is of the machine that isolate runs on, so the platforms are the same.
        """
        from packaging import tags  # noqa: PLC0415

        version = tuple(int(part) for part in self.short.split("."))
        if self.implementation == "cpython":
            abis = [f"{self._tag}t"] if self.free_threaded else [self._tag]
            return [*tags.cpython_tags(version, abis), *tags.compatible_tags(version, self._tag)]
        abis = [f"{self.implementation}{self.short.replace('.', '')}_{self.implementation_abi}"]
        return [*tags.generic_tags(self._tag, abis), *tags.compatible_tags(version, f"{self._tag}")]

    @property
    def implementation_abi(self) -> str:
        """Return the ABI of an implementation that is not CPython: for PyPy 7.3, `pp73`."""
        version = self.markers.get("implementation_version", "").split(".")
        return f"{self._tag[:2]}{''.join(version[:2])}"

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as JSON can hold them."""
        return {**vars(self), "markers": dict(self.markers)}

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Interpreter:
        """Return the interpreter that `to_dict` described."""
        return cls(**table)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The interpreter that an application gets, and why that one."""

    interpreter: Interpreter
    reason: str


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


def describe(executable: str, *, cache: Path, environ: Mapping[str, str]) -> Interpreter:
    """Return the facts about *executable*, those of its base if it is that of an environment.

    Raises `NoInterpreter` if it does not run, or is no Python.
    """
    record = cache / f"{hashlib.sha256(executable.encode()).hexdigest()[:24]}.json"
    identity = _identity(executable)
    try:
        table = json.loads(record.read_bytes())
        if table["asked"] == [executable, identity] and _identity(table["executable"]) == table["identity"]:
            return Interpreter.from_dict({key: value for key, value in table.items() if key != "asked"})
    except (OSError, ValueError, KeyError, TypeError):
        pass
    found = _interrogate(executable, environ)
    if not _is_script(executable):  # what a shim leads to is decided anew each time
        cache.mkdir(parents=True, exist_ok=True)
        atomic.write(record, json.dumps({**found.to_dict(), "asked": [executable, identity]}).encode())
    return found


def _interrogate(executable: str, environ: Mapping[str, str]) -> Interpreter:
    from python_discovery import get_interpreter  # noqa: PLC0415

    info = get_interpreter(executable, env=_clean(environ))
    if info is None:
        raise NoInterpreter(f"{executable} is no Python that runs", hint="name another one with --python")
    return _from_info(info)


def _from_info(info: PythonInfo) -> Interpreter:
    executable = str(info.system_executable or info.executable)
    level = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(info.version_info.releaselevel)
    return Interpreter(
        executable=executable,
        version=info.version_str + (f"{level}{info.version_info.serial}" if level else ""),
        implementation=info.implementation.lower(),
        platform=info.sysconfig_platform or info.platform,
        free_threaded=info.free_threaded,
        markers={key: str(value) for key, value in dict(info.marker_environment).items()},
        identity=_identity(executable),
    )


def _identity(executable: str) -> str:
    try:
        status = os.stat(executable)
    except OSError:
        return ""
    return f"{os.path.realpath(executable)} {status.st_size} {status.st_mtime_ns} {status.st_ino}"


def _is_script(executable: str) -> bool:
    try:
        with open(executable, "rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return True


def _clean(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith(MISLEADING)}


def _find(wanted: str, cache: Path, environ: Mapping[str, str], source: str) -> Interpreter:
    """Return the interpreter that *wanted* names: a path, an environment's directory, a version, or a range."""
    path = Path(wanted).expanduser()
    if os.sep in wanted or path.is_dir():
        for candidate in (path, path / "bin" / "python"):
            if candidate.is_file():
                return describe(str(candidate.absolute()), cache=cache, environ=environ)
        raise NoInterpreter(f"{source} names no Python: {path} is not there", hint="name another one with --python")
    found = next(_all(wanted.removeprefix("cpython-"), environ), None)
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
    if _identity(current.executable) == current.identity:
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
    everything = sorted(_all(None, environ), key=_rank, reverse=True)
    for interpreter in everything:
        if fits(interpreter, requires_python):
            return Choice(interpreter=interpreter, reason=f"the newest that meets requires-python {requires_python}")
    raise NoInterpreter(
        f"no Python here meets requires-python {requires_python}" if requires_python else "no Python was found",
        facts=tuple(f"{one.version}  {one.executable}" for one in everything[:MOST_SHOWN]),
        hint="install one that does, or name it with --python",
    )


MOST_SHOWN = 8


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


def _all(wanted: str | None, environ: Mapping[str, str]) -> Iterator[Interpreter]:
    from python_discovery import iter_interpreters  # noqa: PLC0415

    return map(_from_info, iter_interpreters(wanted, env=_clean(environ)))


def _installed(environ: Mapping[str, str]) -> tuple[str, ...]:
    found = sorted(_all(None, environ), key=_rank, reverse=True)
    return tuple(f"{one.version}  {one.executable}" for one in found[:MOST_SHOWN])
