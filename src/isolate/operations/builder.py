"""A workshop as a request wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.environment.builder import EnvironmentBuilder

if TYPE_CHECKING:
    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.operations.current_state import CurrentState
    from isolate.request import Request
    from isolate.session import Session


def builder_for(
    application: Application, declarations: Declarations, situation: CurrentState, request: Request, session: Session
) -> EnvironmentBuilder:
    """Return a workshop for the interpreter and the environment of *situation*."""
    return EnvironmentBuilder(
        application=application,
        interpreter=situation.interpreter,
        standing=None if situation.rebuild else situation.state,
        store=session.store,
        environ=session.environ,
        progress=session.progress,
        offline=request.offline,
        options=declarations.index_options,
        named=declarations.variables,
        addresses=tuple(one.url for one in declarations.requirements if one.url is not None),
        link_mode=_link_mode(declarations, situation, request),
        bytecode=wants_bytecode(request, situation),
        hashes=request.verify,
    )


def _link_mode(declarations: Declarations, situation: CurrentState, request: Request) -> str:
    """Return how files are to leave the store: as is asked, else as they did before."""
    before = "auto" if situation.state is None else situation.state.link_mode
    return asked_link_mode(declarations, request) or before


def wants_bytecode(request: Request, situation: CurrentState) -> bool:
    """Say whether bytecode is to be there: once it was asked for, it stays."""
    return request.bytecode or (situation.state is not None and situation.state.bytecode)


def asked_link_mode(declarations: Declarations, request: Request) -> str | None:
    """Return how files are to leave the store by what is asked or, else, declared; None where neither says it."""
    return request.link_mode or declarations.settings.link_mode
