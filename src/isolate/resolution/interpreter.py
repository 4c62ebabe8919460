"""Which interpreter an application has, or would get, with the lock in its directory taken into account."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING

from isolate.environment.records import claimed_state, read_state
from isolate.errors import IsolateError
from isolate.git import repository_of
from isolate.interpreters.discovery import InterpreterFinder
from isolate.interpreters.interpreter import Choice, Interpreter
from isolate.interpreters.request import PythonRequest
from isolate.interpreters.select import Criteria, alternatives, choose
from isolate.interpreters.version_file import read_version_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from packaging.pylock import Pylock

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.interpreters.hints import PythonHint
    from isolate.pip.needed_python import NeededPython
    from isolate.session import Session


def interpreter_for(
    application: Application, declarations: Declarations, session: Session, *, asked: str | None = None
) -> Interpreter:
    """Return the interpreter that *application* has, or would get; raise `NoInterpreter` if none fits."""
    current = current_interpreter(application, session)
    return choose_interpreter(application, declarations, asked, current, session).interpreter


def current_interpreter(application: Application, session: Session) -> Interpreter | None:
    """Return the interpreter of the environment; None if there is no environment, or its interpreter is not known.

    An interpreter that an unverified record names is not run: it counts only if it is found without the record, and
    outside the repository.
    """
    if (state := read_state(application.venv)) is not None:
        return Interpreter.from_dict(state.interpreter)
    if (claim := claimed_state(application.venv)) is None:
        return None
    claimed = Interpreter.from_dict(claim.interpreter)
    repository = repository_of(application.place, session.environ)
    finder = _finder(session, repository)
    known = itertools.chain(finder.on_path(f"python{claimed.minor_version}", "python3"), _all_known(finder))
    return next((python for python in known if python.executable == claimed.executable), None)


def _finder(session: Session, repository: Path | None) -> InterpreterFinder:
    return InterpreterFinder(session.store.paths.interpreters, session.environ, repository, session.run)


def _all_known(finder: InterpreterFinder) -> Iterator[Interpreter]:
    yield from finder.discover_all()


def choose_interpreter(
    application: Application,
    declarations: Declarations,
    asked: str | None,
    current: Interpreter | None,
    session: Session,
) -> Choice:
    """Return the interpreter for *application*, and the reason; raise `NoInterpreter` if none fits."""
    if (found := session.pythons.get(application.root)) is not None:
        return found
    criteria = _criteria(application, declarations, asked)._replace(current=current)
    return choose(criteria, _finder_for(application, session))


def fitting_choice(
    application: Application,
    declarations: Declarations,
    asked: str | None,
    needed: Sequence[NeededPython],
    session: Session,
) -> Choice | None:
    """Return an interpreter that meets everything that the packages of *application* have said is *needed*.

    It takes the place of the one that *application* has or would get. None if there is none, or if one is requested.
    """
    criteria = _criteria(application, declarations, asked)
    if criteria.request is not None:
        return None
    current = interpreter_for(application, declarations, session, asked=asked)
    unmet = next((part for part in reversed(needed) if not part.is_met_by(current.version)), None)
    for interpreter in () if unmet is None else alternatives(current, criteria, _finder_for(application, session)):
        if all(part.is_met_by(interpreter.version) for part in needed):
            return Choice(interpreter=interpreter, reason=str(unmet))
    return None


def _criteria(application: Application, declarations: Declarations, asked: str | None) -> Criteria:
    """Return what decides which interpreter *application* gets, besides the one that it has."""
    has_lock = application.lock_file.exists() and not declarations.has_own_lock
    return Criteria(
        request=python_request(declarations, asked),
        requires_python=declarations.requires_python,
        lock_supports=_lock_supports(application) if has_lock else None,
        hints=functools.partial(hints_for, application, declarations),
    )


def _finder_for(application: Application, session: Session) -> InterpreterFinder:
    return _finder(session, repository_of(application.place, session.environ) if session.only_looks else None)


def python_request(declarations: Declarations, option: str | None) -> PythonRequest | None:
    """Return the request of the *option* `--python`, else of the setting, else of `.python-version`.

    A script that states which Pythons it works with needs no file beside it.
    """
    setting, script = declarations.settings.python, declarations.script
    version_file = _version_file(declarations)
    if option is not None:
        return PythonRequest.from_option(option)
    if setting is not None:
        return PythonRequest.from_setting(setting, script or declarations.root / "pyproject.toml")
    return version_file


def _version_file(declarations: Declarations) -> PythonRequest | None:
    if declarations.script is None:
        return read_version_file(declarations.root)
    return None if declarations.requires_python is not None else read_version_file(declarations.script.parent)


def hints_for(application: Application, declarations: Declarations) -> Iterable[PythonHint]:
    """Return what files that request no Python say about the one that *application* was made for, strongest first."""
    from isolate.interpreters.hints import python_hints

    if declarations.script is not None:
        return ()
    return python_hints(application.root, declarations.contents)


def _lock_supports(application: Application) -> Callable[[Interpreter], bool]:
    """Return a function that returns whether the application's lock supports an interpreter.

    It reads the lock when it is called first. A lock that cannot be read supports every interpreter here; whichever
    command uses the lock reports the error.
    """

    @functools.cache
    def lock() -> Pylock | None:
        from isolate.lock.pylock_file import read_lock

        try:
            return read_lock(application.lock_file)
        except IsolateError:
            return None

    def lock_supports(interpreter: Interpreter) -> bool:
        from isolate.lock.select import supports

        content = lock()
        return content is None or supports(content, interpreter)

    return lock_supports
