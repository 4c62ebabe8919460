"""`isolate sync`: an application's environment becomes what its declarations ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.declarations.reading import read_declarations
from isolate.environment import staging
from isolate.environment.inputs import inputs_of, inputs_of_lock, inputs_of_trees
from isolate.lock.selection import select
from isolate.steps.answering import answered
from isolate.steps.applying import carry_out, remember
from isolate.steps.locking import decide, source_trees
from isolate.steps.looking import look_at
from isolate.steps.mending import mending
from isolate.steps.proposal import Proposal, outcome
from isolate.steps.request import Request, selected
from isolate.steps.situation import targets_for
from isolate.steps.workshops import asked_link_mode, workshop_for

if TYPE_CHECKING:
    from isolate.application import Application
    from isolate.declarations.model import Declarations
    from isolate.environment.workshop import Workshop
    from isolate.report import Outcome
    from isolate.steps.new_lock import Learn
    from isolate.steps.session import Session
    from isolate.steps.situation import Situation
    from isolate.store.known import Known


def sync(application: Application, request: Request, session: Session) -> Outcome:
    """Make the environment of *application* what *request* asks for, and say what that took."""
    started = session.clock()
    if request.is_plain and not request.verify and (current := answered(application)) is not None:
        return current
    with application.exclusive(session.waiting_for(application)), session.store.in_use(session.waiting_for_gc):
        staging.recover(application)
        proposal = mending(lambda: _sync(application, request, session), session)
    return outcome(proposal, session.clock() - started)


def _sync(application: Application, request: Request, session: Session) -> Proposal:
    before = inputs_of(application)
    declarations = read_declarations(application.root)
    before |= inputs_of_trees(source_trees(declarations))
    asked = {"adopt": request.adopt, "thorough": request.verify, "hashes": request.verify}
    situation = look_at(application, declarations, request.python, session, **asked)
    situation = situation.for_what_is_asked(link_mode=asked_link_mode(declarations, request), bytecode=request.bytecode)
    with workshop_for(application, declarations, situation, request, session) as workshop:
        proposal = propose(declarations, situation, request, workshop, session)
        if request.dry_run:
            return proposal
        times = carry_out(proposal, workshop, session)
    remember(proposal, session, {**proposal.inputs, **before}, times)
    return proposal


def propose(
    declarations: Declarations, situation: Situation, request: Request, workshop: Workshop, session: Session
) -> Proposal:
    """Decide what is to become of the environment; pip in *workshop* is asked only where the lock does not say."""
    application, selection = workshop.application, selected(declarations, request)
    learn = None if request.dry_run else _learner(request, session)
    decision = decide(declarations, request.moves, workshop, learn=learn)
    locked = select(decision.lock, situation.interpreter, selection, root=str(application.root))
    inputs = inputs_of_lock(locked)
    targets = targets_for(locked, situation.interpreter, workshop.store)
    if not any(target.name == "pip" for target in targets):
        targets.append(workshop.seed())
    return Proposal(
        application=application,
        declarations=declarations,
        request=request,
        situation=situation,
        selection=selection,
        decision=decision,
        locked=locked,
        inputs=inputs,
        plan=situation.plan(targets, workshop.store, inexact=request.inexact),
    )


def _learner(request: Request, session: Session) -> Learn:
    def learn(declarations: Declarations, known: Known, workshop: Workshop) -> bool:
        from isolate.steps.learning import learn_pins  # noqa: PLC0415 - mostly a lock holds

        return learn_pins(declarations, known, workshop, request=request, session=session)

    return learn
