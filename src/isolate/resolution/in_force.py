"""What an application declares for one command: with what is remembered, converted, and with the user's demands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.pip.user_demands import with_user_demands
from isolate.resolution.remembered import read_followed

if TYPE_CHECKING:
    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.request import Request
    from isolate.session import Session


def declarations_in_force(
    application: Application, request: Request, session: Session, *, offline: bool = False
) -> tuple[Request, Declarations]:
    """Return *request* with what is remembered for the environment, and the declarations that follow from it.

    Dependencies in Poetry's format are converted, and constraints of pip's settings are added. Raises what
    `read_followed`, `converted` and `with_user_demands` raise; with *offline*, nothing is fetched for a conversion.
    """
    request, declarations = read_followed(application, request)
    if declarations.poetry is not None:
        from isolate.resolution.poetry import converted

        declarations = converted(declarations, session, offline=offline)
    return request, with_user_demands(declarations, session.environ, application.venv)
