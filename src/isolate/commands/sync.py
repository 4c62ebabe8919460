"""`isolate sync`: make an application's environment match its declarations."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from isolate.environment import staging
from isolate.environment.ownership import ensure_own
from isolate.environment.stamp.explain import why_not_up_to_date
from isolate.environment.stamp.inputs import (
    input_files,
    input_files_of_lock,
    input_files_of_settings,
    input_files_of_trees,
)
from isolate.lock.precedence import precedence_of
from isolate.lock.select import select
from isolate.operations.apply import apply, remember
from isolate.operations.builder import builder_for, requested_link_mode
from isolate.operations.current_state import UNVERIFIED, targets_for
from isolate.operations.identify import identify, with_known_hashes
from isolate.operations.inspect import InspectOptions, inspect
from isolate.operations.retry_damaged import retry_damaged
from isolate.operations.retry_python import retry_with_fitting_python
from isolate.operations.transaction import Transaction, outcome
from isolate.operations.up_to_date import up_to_date_outcome
from isolate.request import Request, selected
from isolate.resolution.context import source_trees
from isolate.resolution.decide import decide
from isolate.resolution.in_force import declarations_in_force
from isolate.resolution.project_metadata import lock_context, with_built_metadata
from isolate.resolution.remembered import read_followed

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.environment.builder import EnvironmentBuilder
    from isolate.operations.current_state import CurrentState
    from isolate.outcome import Outcome
    from isolate.resolution.context import LockContext
    from isolate.resolution.new_lock import PinFetcher
    from isolate.session import Session
    from isolate.store.metadata_cache import MetadataCache


log = logging.getLogger(__name__)


def sync(application: Application, request: Request, session: Session) -> Outcome:
    """Create or update the environment of *application* as *request* asks, and return the outcome."""
    if application.script is None:
        return _synced(application, request, session)
    from isolate.operations.script_environment import in_use

    with in_use(application, request, session):
        return _synced(application, request, session)


def _synced(application: Application, request: Request, session: Session) -> Outcome:
    started = session.clock()
    session = session.looking() if request.dry_run else session
    if request.is_plain and not request.verify:
        if (current := up_to_date_outcome(application)) is not None:
            log.info("stamp: nothing has changed since the last sync")
            return current
        if log.isEnabledFor(logging.INFO):
            log.info("stamp: %s", why_not_up_to_date(str(application.venv)))
    with application.exclusive(session.waiting_for(application)), session.store.shared_access(session.waiting_for_gc):
        if not request.dry_run:
            ensure_own(application)
        staging.recover(application)
        with _prepared(application, request, session) as prepared:
            transaction = retry_with_fitting_python(
                lambda session: retry_damaged(lambda: _sync(application, prepared, session), session),
                application,
                lambda: read_followed(application, prepared),
                session,
            )
    return outcome(transaction, session.clock() - started)


def _prepared(application: Application, request: Request, session: Session) -> AbstractContextManager[Request]:
    """Return the request to carry out, after what it names is saved if it asks for that."""
    if not request.save or request.dry_run:
        return contextlib.nullcontext(request)
    from isolate.operations.save_named import saving

    return saving(application, request, session)


def _sync(application: Application, request: Request, session: Session) -> Transaction:
    before = input_files(application) | input_files_of_settings(application, session.environ)
    asking = session if request.lock_policy.validate else session.looking()  # a lock that is not checked needs nothing
    request, declarations = declarations_in_force(application, request, asking, offline=request.offline)
    before |= input_files_of_trees(source_trees(declarations))
    current = inspect(application, declarations, session, InspectOptions.of(request))
    link_mode = requested_link_mode(declarations, request)
    current = current.with_requested_options(link_mode=link_mode, bytecode=request.bytecode)
    with builder_for(application, declarations, current, request, session) as builder:
        transaction = plan_transaction(declarations, current, request, builder, session)
        if current.rebuild == UNVERIFIED:
            from isolate.operations.verify_and_sign import verify_and_sign

            transaction = verify_and_sign(transaction, builder, session)
        if request.dry_run:
            return transaction
        apply(transaction, builder, session)
    remember(transaction, session, {**transaction.inputs, **before})
    return transaction


def _left_out(context: LockContext) -> tuple[str, ...]:
    """Return the requirements whose metadata only a build tells, as declared."""
    from isolate.resolution.without_build import without_build

    return without_build(context).left_out


def plan_transaction(
    declarations: Declarations, current: CurrentState, request: Request, builder: EnvironmentBuilder, session: Session
) -> Transaction:
    """Return what has to be done; pip is asked only if no lock says which versions to install."""
    application, interpreter, store = builder.application, current.interpreter, session.store
    context = lock_context(application, declarations, interpreter, request.lock_policy, session)
    context = with_built_metadata(context, builder)
    declarations = context.declarations
    selection = selected(declarations, request)
    context = context._replace(asked=selection)
    decision = decide(context, builder, fetch_pins=None if request.dry_run else _pin_fetcher(request, session))
    locked = select(decision.lock, interpreter, selection, root=context.root)
    inputs = input_files_of_lock(locked)  # before `targets_for` reads them
    if request.dry_run or request.offline:
        locked = with_known_hashes(locked, store, application.venv)
    else:
        locked = identify(locked, declarations, builder)
    targets = targets_for(locked, context.keys)
    if not any(target.name == "pip" for target in targets):
        targets.append(builder.pips.ensure_seed())
    left_out = _left_out(context) if decision.is_new and not context.may_build else ()
    inexact = request.inexact or bool(left_out)  # what they need is not known
    current = current.with_owners(precedence_of(decision.lock), inexact=inexact)
    plan = current.plan(targets, store, inexact=inexact)
    log.info(
        "plan: install %d, remove %d, keep %d, fetch %d",
        *map(len, (plan.install, plan.remove, plan.keep, plan.fetch)),
    )
    return Transaction(
        application=application,
        declarations=declarations,
        request=request,
        current=current,
        selection=selection,
        decision=decision,
        locked=locked,
        inputs=inputs,
        plan=plan,
        left_out=left_out,
    )


def _pin_fetcher(request: Request, session: Session) -> PinFetcher:
    def fetch(context: LockContext, cache: MetadataCache, builder: EnvironmentBuilder) -> bool:
        from isolate.resolution.fetch_pins import fetch_pins

        return fetch_pins(context, cache, builder, request=request, session=session)

    return fetch
