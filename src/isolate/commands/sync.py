"""`isolate sync`: an application's environment becomes what its declarations ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.commands.answering import answered
from isolate.commands.applying import carry_out, remember
from isolate.commands.locking import decide, source_trees
from isolate.commands.mending import mending
from isolate.commands.proposal import Proposal, outcome
from isolate.commands.request import Request, selected
from isolate.commands.situation import Rebuild, Situation, look_at, targets_for
from isolate.declarations.reading import read_declarations
from isolate.environment import staging
from isolate.environment.inputs import inputs_of, inputs_of_lock, inputs_of_trees
from isolate.environment.workshop import Workshop
from isolate.lock.selection import select

if TYPE_CHECKING:
    from isolate.application import Application
    from isolate.commands.deciding import Learn
    from isolate.commands.session import Session
    from isolate.declarations.model import Declarations
    from isolate.environment.records import State
    from isolate.report import Outcome
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
    if situation.state is not None and not situation.rebuild:
        situation = situation._replace(rebuild=_made_otherwise(situation.state, declarations, request))
    with workshop_for(application, declarations, situation, request, session) as workshop:
        proposal = propose(declarations, situation, request, workshop, session)
        if request.dry_run:
            return proposal
        times = carry_out(proposal, workshop, session)
    remember(proposal, session, {**proposal.inputs, **before}, times)
    return proposal


def _made_otherwise(state: State, declarations: Declarations, request: Request) -> Rebuild | None:
    """Return why an environment that is sound has to be made anew: it was made otherwise than is asked for."""
    if request.bytecode and not state.bytecode:
        return Rebuild("", "to compile its bytecode")
    asked = _asked_link_mode(declarations, request)
    return Rebuild("", f"link mode {state.link_mode} → {asked}") if asked not in (None, state.link_mode) else None


def _asked_link_mode(declarations: Declarations, request: Request) -> str | None:
    return request.link_mode or declarations.settings.link_mode


def propose(
    declarations: Declarations, situation: Situation, request: Request, workshop: Workshop, session: Session
) -> Proposal:
    """Decide what is to become of the environment; pip in *workshop* is asked only where the lock does not say."""
    application, selection = workshop.application, selected(declarations, request)
    learn = None if request.dry_run else _learner(request, session)
    decision = decide(application, declarations, situation.interpreter, request.moves, workshop, learn=learn)
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
        from isolate.commands.learning import learn_pins  # noqa: PLC0415 - mostly a lock holds

        return learn_pins(declarations, known, workshop, request=request, session=session)

    return learn


def workshop_for(
    application: Application, declarations: Declarations, situation: Situation, request: Request, session: Session
) -> Workshop:
    """Return a workshop for the interpreter and the environment of *situation*."""
    return Workshop(
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


def _link_mode(declarations: Declarations, situation: Situation, request: Request) -> str:
    """Return how files are to leave the store: as is asked, else as they did before."""
    before = "auto" if situation.state is None else situation.state.link_mode
    return _asked_link_mode(declarations, request) or before


def wants_bytecode(request: Request, situation: Situation) -> bool:
    """Say whether bytecode is to be there: once it was asked for, it stays."""
    return request.bytecode or (situation.state is not None and situation.state.bytecode)
