"""Which interpreter an application has, or would get, with the lock in its directory taken into account."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from isolate.environment.records import read_state
from isolate.errors import IsolateError
from isolate.interpreters.interpreter import Interpreter
from isolate.interpreters.select import choose, version_file_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.pylock import Pylock

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.interpreters.interpreter import Choice
    from isolate.session import Session


def interpreter_for(
    application: Application, declarations: Declarations, session: Session, *, asked: str | None = None
) -> Interpreter:
    """Return the interpreter that *application* has, or would get; raise `NoInterpreter` if none fits."""
    state = read_state(application.venv)
    current = None if state is None else Interpreter.from_dict(state.interpreter)
    return choose_interpreter(application, declarations, asked, current, session).interpreter


def choose_interpreter(
    application: Application,
    declarations: Declarations,
    asked: str | None,
    current: Interpreter | None,
    session: Session,
) -> Choice:
    """Return the interpreter for *application*, and why it is that one; raise `NoInterpreter` if none fits."""
    setting = declarations.settings.python
    return choose(
        asked=asked,
        setting=None if setting is None else (setting, application.root / "pyproject.toml"),
        version_file=version_file_of(application.root),
        current=current,
        requires_python=declarations.requires_python,
        served=_served(application) if application.lock_file.exists() else None,
        cache=session.store.interpreters,
        environ=session.environ,
    )


def _served(application: Application) -> Callable[[Interpreter], bool]:
    """Return what says whether the lock in the tree is for an interpreter; it is read when that is asked."""

    @functools.cache
    def lock() -> Pylock | None:
        from isolate.lock.pylock_file import read_lock

        try:
            return read_lock(application.lock_file)
        except IsolateError:
            return None  # whoever needs it says what is wrong with it

    def served(interpreter: Interpreter) -> bool:
        from isolate.lock.select import supports

        found = lock()
        return found is None or supports(found, interpreter)

    return served
