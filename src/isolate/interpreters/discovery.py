"""Facts about interpreters, and where there are any. Finding and asking them is `python-discovery`'s work.

What it found out is remembered by the path, size and time of a binary, so that each is asked once; neither it nor
`packaging` is imported before it is needed.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from isolate import fs
from isolate.errors import NoInterpreter
from isolate.interpreters.interpreter import Interpreter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from python_discovery import PythonInfo

INTERPRETER_ENV_PREFIXES = ("PYTHON", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__", "CONDA_")
"""Beginnings of the names of variables that make an interpreter tell something else of itself."""

MANAGERS = (
    ("PYENV_ROOT", ".pyenv", "versions"),
    ("MISE_DATA_DIR", ".local/share/mise", "installs/python"),
    ("ASDF_DATA_DIR", ".asdf", "installs/python"),
)
"""Version managers: the variable that says where one is, where it usually is below the home, and what it keeps where.

What they put on `PATH` are scripts (shims) that lead to the version which is active; most of them fail.
"""


def describe(executable: str, *, cache: Path | None, environ: Mapping[str, str]) -> Interpreter:
    """Return the facts about *executable* (an absolute path), those of its base if it is that of an environment.

    They are remembered in *cache* for as long as neither binary changes. Raises `NoInterpreter` if it does not run, or
    is no Python.
    """
    record = cache and cache / f"{hashlib.sha256(os.fsencode(executable)).hexdigest()[:24]}.json"
    asked = [executable, identity_of(executable), _active(executable, environ)]
    if record and (known := _recalled(record, asked)):
        return known
    found = _query(executable, environ)
    if record and (asked[-1] or not _is_script(executable)):  # what another shim leads to is decided anew each time
        record.parent.mkdir(parents=True, exist_ok=True)
        fs.write(record, json.dumps({"asked": asked, "found": found.to_dict()}).encode(), by=record.parent)
    return found


def _active(executable: str, environ: Mapping[str, str]) -> str:
    """Return what decides where a shim of pyenv leads: https://github.com/pyenv/pyenv#choosing-the-python-version."""
    root = Path(environ.get("PYENV_ROOT") or Path(environ.get("HOME", "/"), ".pyenv"))
    if Path(executable).parent != root / "shims":
        return ""
    here = Path.cwd()
    files = [*(folder / ".python-version" for folder in (here, *here.parents)), root / "version"]
    chosen = next((file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file()), "system")
    return f"{environ.get('PYENV_VERSION', '')} {chosen}"


def identity_of(executable: str) -> str:
    """Return a text that changes when the binary behind *executable* is replaced; empty if there is none."""
    try:
        status = os.stat(executable)
    except OSError:
        return ""
    return f"{os.path.realpath(executable)} {status.st_size} {status.st_mtime_ns} {status.st_ino}"


def on_path(names: Iterable[str], *, cache: Path | None, environ: Mapping[str, str]) -> Iterator[Interpreter]:
    """Yield what each of *names* leads to, in the order of `PATH`: the real one behind a shim, only those that run."""
    folders = [folder for folder in environ.get("PATH", os.defpath).split(os.pathsep) if folder]
    paths = (os.path.join(folder, name) for name in names for folder in folders)
    return _those_that_run(paths, cache, environ)


def every(*, cache: Path | None, environ: Mapping[str, str]) -> list[Interpreter]:
    """Return all interpreters that are to be found on this machine, each once, in no useful order."""
    from python_discovery import iter_interpreters

    folders = [folder for folder in environ.get("PATH", os.defpath).split(os.pathsep) if Path(folder).name != "shims"]
    with _silenced():
        found = list(map(_from_info, iter_interpreters(env=clean({**environ, "PATH": os.pathsep.join(folders)}))))
    found += _those_that_run(map(str, version_manager_pythons(environ)), cache, environ)
    return list({one.identity: one for one in reversed(found)}.values())


def version_manager_pythons(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the interpreters that version managers keep, whichever of them is active."""
    home = Path(environ.get("HOME") or os.path.expanduser("~"))
    for variable, usual, folder in MANAGERS:
        with contextlib.suppress(OSError):  # somebody else's, as `PYENV_ROOT` is after `su` and `sudo -E`
            prefixes = sorted(Path(environ.get(variable) or home / usual, folder).glob("*"))
            yield from filter(None, map(python_in, prefixes))


def python_in(prefix: str | Path) -> Path | None:
    """Return the interpreter in *prefix* (an installation or an environment); None if there is none."""
    # Debian has no `python` unless a package for it is installed, and elsewhere `python` may be Python 2.
    paths = (Path(prefix, "bin", name) for name in ("python3", "python"))
    return next((path for path in paths if os.path.isfile(path)), None)


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Return *environ* without what makes an interpreter tell something else of itself."""
    return {name: value for name, value in environ.items() if not name.startswith(INTERPRETER_ENV_PREFIXES)}


def _recalled(record: Path, asked: list[str]) -> Interpreter | None:
    try:
        table = json.loads(record.read_bytes())
        found = Interpreter.from_dict(table["found"])
        return found if table["asked"] == asked and identity_of(found.executable) == found.identity else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _those_that_run(paths: Iterable[str], cache: Path | None, environ: Mapping[str, str]) -> Iterator[Interpreter]:
    for path in map(os.path.abspath, paths):
        if os.path.isfile(path) and os.access(path, os.X_OK):
            with contextlib.suppress(NoInterpreter):
                yield describe(path, cache=cache, environ=environ)


def _query(executable: str, environ: Mapping[str, str]) -> Interpreter:
    from python_discovery import get_interpreter

    reason = "it is not there"
    with _silenced():
        try:
            if (info := get_interpreter(executable, env=clean(environ))) is not None:
                return _from_info(info)
        except Exception as error:  # noqa: BLE001 - whatever a program that is no Python may lead to
            reason = " ".join(str(error).split())[:200]
    raise NoInterpreter(
        f"{executable} is no Python that can be used", facts=(reason,), hint="name another one with --python"
    )


def _from_info(info: PythonInfo) -> Interpreter:
    executable = _as_versioned(info)
    return Interpreter(
        executable=executable,
        version=info.marker_environment["python_full_version"].removesuffix("+"),  # built from between two releases
        implementation=info.implementation.lower(),
        platform=info.sysconfig_platform or info.platform,
        free_threaded=info.free_threaded,
        markers={key: str(value) for key, value in dict(info.marker_environment).items()},
        identity=identity_of(executable),
    )


def _as_versioned(info: PythonInfo) -> str:
    """Return the path of an interpreter, by one name whichever it was found by: `python3.11`, where that is the same.

    It goes on naming that version when `python3` comes to be another.
    """
    found = str(info.system_executable or info.executable)
    versioned = os.path.join(os.path.dirname(found), f"{info.python_name}{'t' if info.free_threaded else ''}")
    return versioned if os.path.exists(versioned) and os.path.samefile(found, versioned) else found


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Keep what interpreters say when they are asked, and what is logged about it, from the user's terminal."""
    import logging

    logger = logging.getLogger("python_discovery")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def _is_script(executable: str) -> bool:
    try:
        with open(executable, "rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return True
