"""Create the environment builder that a request asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.environment.build_context import BuildContext, LinkOptions, PinnedPip, PipConfig
from isolate.environment.builder import environment_builder
from isolate.resolution.context import entry_keys, index_fingerprint
from isolate.resolution.pinned_pip import pinned_pip

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.environment.builder import EnvironmentBuilder
    from isolate.interpreters.interpreter import Interpreter
    from isolate.operations.current_state import CurrentState
    from isolate.request import Request
    from isolate.session import Session


def builder_for(
    application: Application, declarations: Declarations, current: CurrentState, request: Request, session: Session
) -> AbstractContextManager[EnvironmentBuilder]:
    """Return a context manager that yields a builder for the interpreter and the environment of *current*."""
    context = BuildContext(
        application=application,
        interpreter=current.interpreter,
        base_state=None if current.rebuild else current.state,
        store=session.store,
        progress=session.progress,
    )
    pip_config = PipConfig(
        environ=session.environ,
        keys=entry_keys(application, declarations, current.interpreter, session.environ),
        offline=request.offline,
        index_options=declarations.index_options,
        variable_names=declarations.variable_names,
        declared_urls=tuple(
            requirement.url for requirement in declarations.requirements if requirement.url is not None
        ),
        pinned_pip=_pinned_pip(application, declarations, current.interpreter, session),
        lenient_indexes=declarations.settings.lenient_indexes,
    )
    return environment_builder(context, pip_config, _link_options(declarations, current, request))


def _pinned_pip(
    application: Application, declarations: Declarations, interpreter: Interpreter, session: Session
) -> PinnedPip | None:
    pinned = pinned_pip(declarations, interpreter.markers)
    if pinned is None:
        return None
    return PinnedPip(*pinned, index_fingerprint(application, declarations, interpreter, session.environ))


def _link_options(declarations: Declarations, current: CurrentState, request: Request) -> LinkOptions:
    """Return how files leave the store: as requested or declared, else as for the existing environment."""
    state = current.state
    return LinkOptions(
        mode=requested_link_mode(declarations, request) or (state.link_mode if state else "auto"),
        bytecode=request.bytecode or (state is not None and state.bytecode),
        verify_hashes=request.verify,
    )


def requested_link_mode(declarations: Declarations, request: Request) -> str | None:
    """Return the link mode of the request, else of the declarations; None if neither names one."""
    return request.link_mode or declarations.settings.link_mode
