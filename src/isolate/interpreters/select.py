"""Which of the interpreters of this machine an application gets, and why."""

from __future__ import annotations

import logging
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from isolate.errors import NoInterpreter
from isolate.interpreters.discovery import python_in, version_manager_pythons
from isolate.interpreters.interpreter import Choice, Interpreter
from isolate.interpreters.query import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from packaging.specifiers import SpecifierSet

    from isolate.interpreters.discovery import InterpreterFinder
    from isolate.interpreters.hints import PythonHint
    from isolate.interpreters.request import PythonRequest

log = logging.getLogger(__name__)

OLDEST = (3, 8)
"""The oldest version of Python that isolate creates environments for."""

MAX_LISTED = 8
"""How many interpreters a message lists."""


class Criteria(NamedTuple):
    """What decides which interpreter an application gets.

    `request` is made by the user or the application, `current` is the interpreter of its environment, and
    `requires_python` the range that it declares. `lock_supports` returns whether its lock supports an interpreter; it
    is None if there is no lock. `hints` returns what other files say about the Python to use.
    """

    request: PythonRequest | None = None
    current: Interpreter | None = None
    requires_python: SpecifierSet | None = None
    lock_supports: Callable[[Interpreter], bool] | None = None
    hints: Callable[[], Iterable[PythonHint]] = tuple

    def allow(self, interpreter: Interpreter) -> bool:
        """Return whether isolate supports *interpreter* and it is in the range that the application declares."""
        if _minor_version(interpreter.version) < OLDEST:
            log.info("python: rejected %s %s: too old", interpreter.version, interpreter.executable)
            return False
        required = self.requires_python
        if required is not None and not required.contains(interpreter.version, prereleases=True):
            log.info(
                "python: rejected %s %s: requires-python %s", interpreter.version, interpreter.executable, required
            )
            return False
        return True


def choose(criteria: Criteria, finder: InterpreterFinder) -> Choice:
    """Return the interpreter for an application; raise `NoInterpreter` if none meets the *criteria*.

    It is the one that is requested. Without a request it is the current one of the environment if that still exists,
    else one that meets a hint, else `python3` on `PATH`, else the newest final release, each only if the application
    allows it. An interpreter for a hint must be one that the lock supports; of the last two, such a one is preferred.
    """
    if criteria.request is not None:
        return _requested(criteria.request, criteria, finder)
    current = criteria.current and _still_installed(criteria.current, finder)
    if current and criteria.allow(current):
        return Choice(interpreter=current, reason="used by the environment")
    return _hinted(criteria, finder) or _default(criteria, finder)


def _hinted(criteria: Criteria, finder: InterpreterFinder) -> Choice | None:
    """Return the interpreter that meets the first hint that can be met; None if there is none."""
    lock_supports = criteria.lock_supports
    for hint in criteria.hints():
        for request in hint.requests:
            for interpreter in filter(request.is_met_by, _candidates(request, finder)):
                if criteria.allow(interpreter) and (lock_supports is None or lock_supports(interpreter)):
                    return Choice(interpreter=interpreter, reason=hint.source)
        log.info("python: ignored %s: no such Python was found that fits", hint.source)
    return None


def alternatives(current: Interpreter, criteria: Criteria, finder: InterpreterFinder) -> list[Interpreter]:
    """Return what may take the place of *current*: final releases of its kind that the application allows.

    Those that meet a hint come first, then newer ones than *current*, then older ones, each nearest first.
    """
    hinted = [request for hint in criteria.hints() for request in hint.requests]
    minor = int(current.minor_version.split(".")[1])

    def distance(interpreter: Interpreter) -> tuple[bool, bool, int]:
        other = int(interpreter.minor_version.split(".")[1])
        meets_hint = any(request.is_met_by(interpreter) for request in hinted)
        return not meets_hint, other < minor, abs(other - minor)

    same_kind = [
        interpreter
        for interpreter in _best_first(finder)
        if _is_final(interpreter.version)
        and (interpreter.implementation, interpreter.free_threaded) == (current.implementation, current.free_threaded)
    ]
    return sorted(filter(criteria.allow, same_kind), key=distance)


def _requested(request: PythonRequest, criteria: Criteria, finder: InterpreterFinder) -> Choice:
    """Return the interpreter that *request* names: a path, an environment's directory, a version, or a range."""
    if request.version and "." in request.version and _minor_version(request.version) < OLDEST:
        raise _unsupported(request.version, request)
    if (interpreter := _at_path(request, finder)) is not None:
        return _checked(interpreter, request, criteria)
    not_allowed = []
    for interpreter in _candidates(request, finder):
        if not request.is_met_by(interpreter):
            log.info("python: rejected %s %s: not %s", interpreter.version, interpreter.executable, request.source)
        else:
            if criteria.allow(interpreter):
                return Choice(interpreter=interpreter, reason=request.source)
            not_allowed.append(interpreter)
    if not_allowed:
        return _checked(not_allowed[0], request, criteria)
    from isolate.interpreters.installers import how_to_install

    raise NoInterpreter(
        f"{request.source} asks for a Python that is not installed",
        facts=_listed(_best_first(finder)),
        hint=f"{how_to_install(request, finder.environ)}, or choose a different one with --python",
    )


def _at_path(request: PythonRequest, finder: InterpreterFinder) -> Interpreter | None:
    """Return the interpreter at the path that is requested; None if it is not a path.

    What a version manager calls an installation counts as its path.
    """
    if request.is_version:
        return None
    path = os.path.normpath(os.path.join(request.directory, os.path.expanduser(request.text)))
    named = [python for python in version_manager_pythons(finder.environ) if python.parent.parent.name == request.text]
    for candidate in (*named, path, python_in(path)):
        if candidate and os.path.isfile(candidate):
            trusting = finder._replace(repository=None) if request.by_user else finder
            return trusting.describe_named(os.path.abspath(candidate))
    if os.sep in request.text:
        raise request.invalid(f"neither {path} nor {os.path.join(path, 'bin/python3')} is a file")
    return None


def _candidates(request: PythonRequest, finder: InterpreterFinder) -> Iterator[Interpreter]:
    yield from finder.on_path(*request.commands)
    yield from _best_first(finder)


def _checked(interpreter: Interpreter, request: PythonRequest, criteria: Criteria) -> Choice:
    if _minor_version(interpreter.version) < OLDEST:
        raise _unsupported(interpreter.version, request, interpreter.executable)
    if not criteria.allow(interpreter):
        raise NoInterpreter(
            "the requested Python does not satisfy requires-python",
            facts=(f"{request.source}: Python {interpreter.version}", f"requires-python: {criteria.requires_python}"),
            hint="change the request or requires-python",
        )
    return Choice(interpreter=interpreter, reason=request.source)


def _unsupported(version: str, request: PythonRequest, *facts: str) -> NoInterpreter:
    oldest = ".".join(map(str, OLDEST))
    return NoInterpreter(
        f"Python {version} is not supported: isolate creates environments for {oldest} and later",
        facts=(*facts, f"requested by {request.source}"),
        hint="choose a newer one with --python",
    )


def _still_installed(current: Interpreter, finder: InterpreterFinder) -> Interpreter | None:
    """Return *current*, described again if its binary was replaced or facts are missing; None if it was removed."""
    is_known = not finder.is_in_repository(current.executable)  # the record may be the repository's, too
    if is_known and current.libc is not None and fingerprint_of(current.executable) == current.fingerprint:
        return current
    try:
        return finder.describe_named(current.executable)
    except NoInterpreter:
        return None


def _default(criteria: Criteria, finder: InterpreterFinder) -> Choice:
    python3 = next(finder.on_path("python3"), None)
    default = python3 if python3 is not None and criteria.allow(python3) else None
    lock_supports = criteria.lock_supports
    if lock_supports is not None and not (default and lock_supports(default)):
        for interpreter in _best_first(finder):
            if criteria.allow(interpreter) and lock_supports(interpreter):
                return Choice(interpreter=interpreter, reason="newest that the lock supports")
    if default is not None:
        return Choice(interpreter=default, reason="python3 on PATH")
    return _newest(criteria, finder)


def _newest(criteria: Criteria, finder: InterpreterFinder) -> Choice:
    interpreters, requires_python = _best_first(finder), criteria.requires_python
    condition = f"that satisfies requires-python {requires_python}" if requires_python else "installed"
    for interpreter in interpreters:
        if criteria.allow(interpreter):
            return Choice(interpreter=interpreter, reason=f"newest {condition}")
    raise NoInterpreter(
        f"no Python {condition} was found" if requires_python else "no usable Python was found",
        facts=_listed(interpreters),
        hint="install one, or give its path with --python",
    )


def _best_first(finder: InterpreterFinder) -> list[Interpreter]:
    return sorted(finder.discover_all(), key=_rank, reverse=True)


def _rank(interpreter: Interpreter) -> tuple[bool, bool, bool, tuple[int, ...], str]:
    """Return a value that is greater for final releases, for CPython, for the default build and for newer versions."""
    is_final = _is_final(interpreter.version)
    numbers = tuple(int(part) for part in re.findall(r"\d+", interpreter.version))
    is_default_build = not interpreter.free_threaded
    return is_final, interpreter.implementation == "cpython", is_default_build, numbers, interpreter.executable


def _is_final(version: str) -> bool:
    return re.fullmatch(r"[\d.]+", version) is not None


def _minor_version(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def _listed(interpreters: Sequence[Interpreter]) -> tuple[str, ...]:
    usable = [interpreter for interpreter in interpreters if _minor_version(interpreter.version) >= OLDEST]
    return tuple(f"{interpreter.version}  {interpreter.executable}" for interpreter in usable[:MAX_LISTED])
