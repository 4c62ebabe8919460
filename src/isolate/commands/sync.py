"""`isolate sync`: an application's environment becomes what its declarations ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.declarations.read import read_declarations
from isolate.environment import staging
from isolate.environment.stamp.inputs import input_files, input_files_of_lock, input_files_of_trees
from isolate.lock.select import select
from isolate.operations.apply import apply, remember
from isolate.operations.builder import builder_for, requested_link_mode
from isolate.operations.current_state import targets_for
from isolate.operations.inspect import inspect
from isolate.operations.retry_damaged import retry_damaged
from isolate.operations.transaction import Transaction, outcome
from isolate.operations.up_to_date import up_to_date_outcome
from isolate.request import Request, selected
from isolate.resolution.decide import decide, source_trees

if TYPE_CHECKING:
    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.environment.builder import EnvironmentBuilder
    from isolate.operations.current_state import CurrentState
    from isolate.outcome import Outcome
    from isolate.resolution.new_lock import PinFetcher
    from isolate.session import Session
    from isolate.store.metadata_cache import MetadataCache


def sync(application: Application, request: Request, session: Session) -> Outcome:
    """Make the environment of *application* what *request* asks for, and say what that took."""
    started = session.clock()
    if request.is_plain and not request.verify and (current := up_to_date_outcome(application)) is not None:
        return current
    with application.exclusive(session.waiting_for(application)), session.store.shared_access(session.waiting_for_gc):
        staging.recover(application)
        proposal = retry_damaged(lambda: _sync(application, request, session), session)
    return outcome(proposal, session.clock() - started)


def _sync(application: Application, request: Request, session: Session) -> Transaction:
    before = input_files(application)
    declarations = read_declarations(application.root)
    before |= input_files_of_trees(source_trees(declarations))
    asked = {"adopt": request.adopt, "thorough": request.verify, "hashes": request.verify}
    situation = inspect(application, declarations, request.python, session, **asked)
    situation = situation.with_requested_options(
        link_mode=requested_link_mode(declarations, request), bytecode=request.bytecode
    )
    with builder_for(application, declarations, situation, request, session) as builder:
        proposal = propose(declarations, situation, request, builder, session)
        if request.dry_run:
            return proposal
        apply(proposal, builder, session)
    remember(proposal, session, {**proposal.inputs, **before})
    return proposal


def propose(
    declarations: Declarations, situation: CurrentState, request: Request, builder: EnvironmentBuilder, session: Session
) -> Transaction:
    """Decide what is to become of the environment; pip in *workshop* is asked only where the lock does not say."""
    application, selection = builder.application, selected(declarations, request)
    learn = None if request.dry_run else _learner(request, session)
    decision = decide(declarations, request.lock_policy, builder, learn=learn)
    locked = select(decision.lock, situation.interpreter, selection, root=str(application.root))
    inputs = input_files_of_lock(locked)
    targets = targets_for(locked, situation.interpreter)
    if not any(target.name == "pip" for target in targets):
        targets.append(builder.pips.ensure_seed())
    return Transaction(
        application=application,
        declarations=declarations,
        request=request,
        situation=situation,
        selection=selection,
        decision=decision,
        locked=locked,
        inputs=inputs,
        plan=situation.plan(targets, builder.store, inexact=request.inexact),
    )


def _learner(request: Request, session: Session) -> PinFetcher:
    def learn(declarations: Declarations, known: MetadataCache, builder: EnvironmentBuilder) -> bool:
        from isolate.resolution.fetch_pins import fetch_pins

        return fetch_pins(declarations, known, builder, request=request, session=session)

    return learn
