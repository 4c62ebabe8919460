"""Where nothing names a Python and the packages need another one than the default: take one that fits, and say so.

Only pip learns what the packages need, so the default is tried first. A package that does not say that this Python is
too new, and fails to build, is not taken for one that needs an older one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from isolate.errors import PipFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.pip.needed_python import NeededPython
    from isolate.request import Request
    from isolate.session import Session

    Reader = Callable[[], tuple[Request, Declarations]]

Result = TypeVar("Result")

MAX_RETRIES = 3


def retry_with_fitting_python(
    attempt: Callable[[Session], Result], application: Application, read: Reader, session: Session
) -> Result:
    """Return what *attempt* returns for *session*, or for one with a Python that the packages of *application* allow.

    *read* returns what was asked for, with its Python, and what the application declares. Raises what *attempt* raises;
    `PipFailed` if no Python fits or one is named.
    """
    needed: list[NeededPython] = []
    for _ in range(MAX_RETRIES):
        try:
            return attempt(session)
        except PipFailed as failure:
            other = _with_fitting_python(failure, needed, application, read, session)
            if other is None:
                raise
            session = other
    return attempt(session)


def _with_fitting_python(
    failure: PipFailed, needed: list[NeededPython], application: Application, read: Reader, session: Session
) -> Session | None:
    """Return *session* with the next Python for *application*, None if there is none; adds to what is *needed*."""
    from isolate.pip.needed_python import needed_pythons
    from isolate.resolution.interpreter import fitting_choice

    if not (found := needed_pythons(failure.output)):
        return None
    needed += found
    request, declarations = read()
    choice = fitting_choice(application, declarations, request.python, needed, session)
    if choice is None:
        return None
    python = choice.interpreter
    session.progress.say(f"{choice.reason}; trying Python {python.version} ({python.executable})")
    return session.with_python(application.root, choice)
