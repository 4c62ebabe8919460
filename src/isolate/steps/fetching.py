"""The store gets what is to arrive in an environment, and at once what other applications of the same command lack."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from isolate.declarations.reading import read_declarations
from isolate.errors import IsolateError
from isolate.lock.selection import select
from isolate.report import count
from isolate.steps.locking import held_lock
from isolate.steps.looking import look_at
from isolate.steps.new_lock import circumstances
from isolate.steps.request import selected
from isolate.steps.situation import targets_for
from isolate.store.bytecode import compile_missing
from isolate.store.fill import fill

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.application import Application
    from isolate.environment.workshop import Workshop
    from isolate.lock.model import Locked
    from isolate.pip.installing import Pip
    from isolate.steps.proposal import Proposal
    from isolate.steps.request import Request
    from isolate.steps.session import Session


def fetch(proposal: Proposal, workshop: Workshop, session: Session) -> None:
    """See to it that the store has everything that is to arrive."""
    missing = {target.key: target.locked for target in proposal.plan.fetch}
    if missing and proposal.request.offline:
        raise IsolateError(
            "not everything is in the store, and --offline forbids to fetch it",
            facts=(", ".join(one.name for one in missing.values()),),
            hint="run without --offline",
        )
    if missing:
        _fetch(missing, proposal, workshop.pip(), session)
    if workshop.bytecode:
        keys = [target.key for target in proposal.plan.arrive if not target.is_local]
        compile_missing(workshop.store, keys, workshop.pip, on_wait=session.waiting_for_store)


def _fetch(missing: Mapping[str, Locked], proposal: Proposal, pip: Pip, session: Session) -> None:
    """Let *pip* fetch what is *missing* (by key), and what the others lack, unless another process has meanwhile."""

    def fetch(lacking: Mapping[str, Locked]) -> None:
        session.progress.working(f"fetching {count(len(lacking), 'package')}")
        fill(session.store, lacking, pip)

    with session.store.filling(session.waiting_for_store):
        own = {key: locked for key, locked in missing.items() if not session.store.has(key)}
        if own:
            interpreter = proposal.situation.interpreter
            here = circumstances(proposal.application, proposal.declarations, interpreter, session.environ)
            lacked_by = partial(_lacked_by, request=proposal.request, here=here, session=session)
            session.company.together(proposal.application, own, lacked_by, fetch)


def _lacked_by(other: Application, *, request: Request, here: str, session: Session) -> dict[str, Locked]:
    """Return what *other* has to fetch (by key) if asked the same; nothing unless circumstances are as *here*."""
    declarations = read_declarations(other.root)
    situation = look_at(other, declarations, request.python, session, adopt=request.adopt, thorough=False)
    interpreter = situation.interpreter
    if circumstances(other, declarations, interpreter, session.environ) != here:
        return {}
    lock = held_lock(other, declarations, interpreter, request.moves, session.store)
    if lock is None:
        return {}
    locked = select(lock.lock, interpreter, selected(declarations, request), root=str(other.root))
    targets = targets_for([one for one in locked if one.directory is None], interpreter, session.store)
    return {target.key: target.locked for target in situation.plan(targets, session.store).fetch}
