"""Facts about interpreters. Finding them is `python-discovery`'s work.

What it found is remembered by the path, size and time of a binary, so that it is asked once for each; neither it nor
`packaging` is imported before it is needed.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

from isolate import atomic
from isolate.errors import NoInterpreter
from isolate.interpreters.model import Interpreter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from python_discovery import PythonInfo

MISLEADING = ("PYTHON", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__", "CONDA_")
"""Beginnings of the names of variables that make an interpreter tell something else of itself."""


def describe(executable: str, *, cache: Path, environ: Mapping[str, str]) -> Interpreter:
    """Return the facts about *executable*, those of its base if it is that of an environment.

    Raises `NoInterpreter` if it does not run, or is no Python.
    """
    record = cache / f"{hashlib.sha256(executable.encode()).hexdigest()[:24]}.json"
    identity = identity_of(executable)
    try:
        table = json.loads(record.read_bytes())
        if table["asked"] == [executable, identity] and identity_of(table["executable"]) == table["identity"]:
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

    info = get_interpreter(executable, env=clean(environ))
    if info is None:
        raise NoInterpreter(f"{executable} is no Python that runs", hint="name another one with --python")
    return from_info(info)


def from_info(info: PythonInfo) -> Interpreter:
    """Return what `python-discovery` found, as far as it matters here."""
    executable = str(info.system_executable or info.executable)
    level = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(info.version_info.releaselevel)
    return Interpreter(
        executable=executable,
        version=info.version_str + (f"{level}{info.version_info.serial}" if level else ""),
        implementation=info.implementation.lower(),
        platform=info.sysconfig_platform or info.platform,
        free_threaded=info.free_threaded,
        markers={key: str(value) for key, value in dict(info.marker_environment).items()},
        identity=identity_of(executable),
    )


def identity_of(executable: str) -> str:
    """Return a text that changes when the binary behind *executable* is replaced; empty if there is none."""
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


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Return *environ* without what makes an interpreter tell something else of itself."""
    return {name: value for name, value in environ.items() if not name.startswith(MISLEADING)}


def every(wanted: str | None, environ: Mapping[str, str]) -> Iterator[Interpreter]:
    """Yield the interpreters of this machine that *wanted* (a version or a range) names, or all, in no useful order."""
    from python_discovery import iter_interpreters  # noqa: PLC0415

    return map(from_info, iter_interpreters(wanted, env=clean(environ)))
