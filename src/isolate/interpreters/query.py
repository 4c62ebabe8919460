"""Facts about one interpreter. `python-discovery` runs the interpreter to learn them.

They are cached by path, size and mtime of the binary, so that each interpreter runs only once. Neither
`python-discovery` nor `packaging` is imported unless one has to run.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isolate import fs
from isolate.bounded_read import read_bounded, read_json
from isolate.errors import NoInterpreter
from isolate.home import home_directory
from isolate.interpreters.answers import Answers
from isolate.interpreters.interpreter import Interpreter
from isolate.interpreters.libc import libc_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from python_discovery import PythonInfo

INTERPRETER_ENV_PREFIXES = ("PYTHON", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__", "CONDA_")
"""Prefixes of the variables that change what an interpreter reports about itself."""


class UnknownInterpreter(NoInterpreter):
    """The repository names a Python that isolate has not run yet, and the command only looks."""

    code = "unknown-interpreter"
    remedy = "Run `isolate sync` if you trust the repository: it runs that Python, and isolate remembers the answer."


class _NotPython(Exception):
    """A program did not answer as a Python does."""


def describe(
    executable: str, *, cache: Path | None, environ: Mapping[str, str], may_run: bool = True, run: str = ""
) -> Interpreter:
    """Return the facts about the interpreter at the absolute path *executable*.

    For that of an environment, they are the facts about the base interpreter. They are kept in the directory *cache*,
    and hold until one of the two binaries changes. What may change unnoticed holds for one *run* of the command.

    Raises:
        UnknownInterpreter: It would have to run, and *may_run* is False.
        NoInterpreter: It does not run, or is not a Python.
    """
    record = cache and cache / f"{hashlib.sha256(os.fsencode(executable)).hexdigest()[:24]}.json"
    query = [executable, fingerprint_of(executable), _pyenv_selection(executable, environ)]
    if record and (cached := _read_record(record, query)):
        return cached
    if not may_run:
        raise UnknownInterpreter(
            f"{executable} is not known yet, and a command that only looks runs no program that a repository names",
            hint="run `isolate sync`, which runs it, or remove the request for it",
        )
    found = Answers(cache, run).ask(query, lambda: _found(executable, environ))
    if "failed" in found:
        raise NoInterpreter(
            f"{executable} is not a usable Python",
            facts=(found["failed"],),
            hint="choose a different one with --python",
        )
    interpreter = Interpreter.from_dict(found)
    if record and (query[-1] or not _is_script(executable)):  # where a shim of another tool leads may change unnoticed
        with contextlib.suppress(OSError):  # it is found again each time
            record.parent.mkdir(parents=True, exist_ok=True)
            content = json.dumps({"asked": query, "found": interpreter.to_dict()}).encode()
            fs.write(record, content, staging=record.parent)
    return interpreter


def fingerprint_of(executable: str) -> str:
    """Return a text that changes when the binary behind *executable* is replaced; empty if there is none."""
    try:
        status = os.stat(executable)
    except OSError:
        return ""
    return f"{os.path.realpath(executable)} {status.st_size} {status.st_mtime_ns} {status.st_ino}"


def interpreter_from(info: PythonInfo) -> Interpreter:
    """Return what `python-discovery` found out about an interpreter."""
    executable = _versioned_executable(info)
    return Interpreter(
        executable=executable,
        version=info.marker_environment["python_full_version"].removesuffix("+"),  # built from between two releases
        implementation=info.implementation.lower(),
        platform=info.sysconfig_platform or info.platform,
        free_threaded=info.free_threaded,
        markers={key: str(value) for key, value in dict(info.marker_environment).items()},
        fingerprint=fingerprint_of(executable),
        debug=info.debug_build,
        libc=libc_of(executable),
    )


def without_interpreter_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return *environ* without the variables that change what an interpreter reports about itself."""
    return {name: value for name, value in environ.items() if not name.startswith(INTERPRETER_ENV_PREFIXES)}


@contextlib.contextmanager
def output_discarded() -> Iterator[None]:
    """Keep what interpreters print when they run, and what is logged about it, from the user's terminal."""
    import logging

    logger = logging.getLogger("python_discovery")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def _pyenv_selection(executable: str, environ: Mapping[str, str]) -> str:
    """Return what selects the target of a shim of pyenv: https://github.com/pyenv/pyenv#choosing-the-python-version."""
    root = Path(environ.get("PYENV_ROOT") or Path(home_directory(environ) or "/", ".pyenv"))
    if Path(executable).parent != root / "shims":
        return ""
    current = Path.cwd()
    files = [*(path / ".python-version" for path in (current, *current.parents)), root / "version"]
    version = next((read_bounded(file).decode(errors="replace") for file in files if file.is_file()), "system")
    return f"{environ.get('PYENV_VERSION', '')} {version}"


def _read_record(record: Path, query: list[str]) -> Interpreter | None:
    """Return the interpreter in *record* if it answers *query* and its binary is still the same."""
    try:
        table = read_json(record)
        interpreter = Interpreter.from_dict(table["found"])
        is_complete = interpreter.libc is not None
        is_current = (
            is_complete
            and table["asked"] == query
            and fingerprint_of(interpreter.executable) == interpreter.fingerprint
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return interpreter if is_current else None


def _found(executable: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the facts about an interpreter as `Interpreter.to_dict` does; `failed` says why there are none."""
    try:
        return _query(executable, environ).to_dict()
    except _NotPython as error:
        return {"failed": str(error)}


def _query(executable: str, environ: Mapping[str, str]) -> Interpreter:
    """Run *executable*, and return the facts about it; raise `_NotPython`, with the reason, if it tells none."""
    from python_discovery import get_interpreter

    reason = "no interpreter was found there"
    with output_discarded():
        try:
            info = get_interpreter(executable, env=without_interpreter_variables(environ))
            if info is not None:
                return interpreter_from(info)
        except Exception as error:  # noqa: BLE001 - any program may be at that path, and answer in any way
            reason = " ".join(str(error).split())[:200]
    raise _NotPython(reason)


def _versioned_executable(info: PythonInfo) -> str:
    """Return the path of an interpreter under its most specific name, `python3.11`, however it was found.

    That path still leads to this version when `python3` leads to a newer one.
    """
    path = str(info.system_executable or info.executable)
    versioned = os.path.join(os.path.dirname(path), f"{info.python_name}{'t' if info.free_threaded else ''}")
    return versioned if os.path.exists(versioned) and os.path.samefile(path, versioned) else path


def _is_script(executable: str) -> bool:
    try:
        with open(executable, "rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return True
