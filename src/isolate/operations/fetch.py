"""The store gets what is to arrive in an environment, and at once what other applications of the same command lack."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from isolate.declarations.read import read_declarations
from isolate.errors import IsolateError
from isolate.formatting import count
from isolate.lock.select import select
from isolate.operations.current_state import targets_for
from isolate.operations.inspect import inspect
from isolate.request import selected
from isolate.resolution.decide import valid_lock
from isolate.resolution.new_lock import index_fingerprint
from isolate.store.bytecode import compile_missing
from isolate.store.fill import fill

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.application import Application
    from isolate.environment.builder import EnvironmentBuilder
    from isolate.locked import LockedDistribution
    from isolate.operations.transaction import Transaction
    from isolate.pip.runner import Pip
    from isolate.request import Request
    from isolate.session import Session


def fetch(proposal: Transaction, builder: EnvironmentBuilder, session: Session) -> None:
    """See to it that the store has everything that is to arrive."""
    missing = {target.key: target.locked for target in proposal.plan.fetch}
    if missing and proposal.request.offline:
        raise IsolateError(
            "not everything is in the store, and --offline forbids to fetch it",
            facts=(", ".join(one.name for one in missing.values()),),
            hint="run without --offline",
        )
    if missing:
        _fetch(missing, proposal, builder.pips.ensure_pip(), session)
    if builder.linker.options.bytecode:
        keys = [target.key for target in proposal.plan.install if not target.is_local]
        compile_missing(builder.store, keys, builder.pips.ensure_pip, on_wait=session.waiting_for_store)


def _fetch(missing: Mapping[str, LockedDistribution], proposal: Transaction, pip: Pip, session: Session) -> None:
    """Let *pip* fetch what is *missing* (by key), and what the others lack, unless another process has meanwhile."""

    def fetch(lacking: Mapping[str, LockedDistribution]) -> None:
        session.progress.working(f"fetching {count(len(lacking), 'package')}")
        fill(session.store, lacking, pip)

    with session.store.write_access(session.waiting_for_store):
        own = {key: locked for key, locked in missing.items() if not session.store.has(key)}
        if own:
            interpreter = proposal.situation.interpreter
            here = index_fingerprint(proposal.application, proposal.declarations, interpreter, session.environ)
            lacked_by = partial(_lacked_by, request=proposal.request, here=here, session=session)
            session.company.together(proposal.application, own, lacked_by, fetch)


def _lacked_by(other: Application, *, request: Request, here: str, session: Session) -> dict[str, LockedDistribution]:
    """Return what *other* has to fetch (by key) if asked the same; nothing unless circumstances are as *here*."""
    declarations = read_declarations(other.root)
    situation = inspect(other, declarations, request.python, session, adopt=request.adopt, thorough=False)
    interpreter = situation.interpreter
    if index_fingerprint(other, declarations, interpreter, session.environ) != here:
        return {}
    lock = valid_lock(other, declarations, interpreter, request.lock_policy, session.store)
    if lock is None:
        return {}
    locked = select(lock.lock, interpreter, selected(declarations, request), root=str(other.root))
    targets = targets_for([one for one in locked if one.directory is None], interpreter)
    return {target.key: target.locked for target in situation.plan(targets, session.store).fetch}
