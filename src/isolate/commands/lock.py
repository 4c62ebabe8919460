"""`isolate lock`: decide, and write it down."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from isolate.declarations.read import read_declarations
from isolate.environment import staging
from isolate.errors import DeclarationError, IsolateError, StaleLock
from isolate.formatting import count
from isolate.lock.diff import diff
from isolate.lock.pylock_file import read_lock
from isolate.operations.builder import builder_for
from isolate.operations.inspect import inspect
from isolate.operations.retry_damaged import retry_damaged
from isolate.outcome import Outcome
from isolate.request import LockPolicy
from isolate.resolution.decide import LockDecision, decide, source_tree_digests, stale_reasons

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.pylock import Pylock

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.operations.current_state import CurrentState
    from isolate.request import Request
    from isolate.session import Session


def lock(application: Application, request: Request, session: Session, *, check: bool = False) -> Outcome:
    """Write `pylock.toml`, keeping what is locked unless a declaration or *request* moves it.

    With *check* nothing is written: the exit code is 1 if the lock is stale, or missing where one is needed.
    """
    declarations = read_declarations(application.root)
    if not declarations.files:
        raise IsolateError(f"{application.name} declares nothing but its lock", hint="declare what it needs, then lock")
    before = _lock_before(application, request.lock_policy)
    with application.exclusive(session.waiting_for(application)), session.store.shared_access(session.waiting_for_gc):
        staging.recover(application)
        situation = inspect(application, declarations, request.python, session, allow_unmanaged=True)

        def decided(policy: LockPolicy) -> LockDecision:
            with builder_for(application, declarations, situation, request, session) as builder:
                return decide(declarations, policy, builder)

        if check:
            return _checked(before, declarations, situation, decided)
        decision = retry_damaged(partial(decided, request.lock_policy), session)
        written = decision.is_new or not decision.in_tree
        if written:
            staging.write_file(application, application.lock_file, decision.text)
    changes = diff(before, decision.lock)
    verb = "wrote" if written else "kept"
    follow = "; `isolate sync` brings the environment into step" if written else ""
    said = f"{verb} pylock.toml: {count(len(decision.lock.packages), 'package')}{follow}"
    lines = (*changes, *decision.because, said)
    return Outcome(command="lock", lines=lines, facts={"changes": list(changes), "written": written})


def _lock_before(application: Application, policy: LockPolicy) -> Pylock | None:
    """Return the lock that is there; where every version may move, one that cannot be read is as good as none."""
    try:
        return read_lock(application.lock_file)
    except DeclarationError:
        if policy.upgrade:
            return None
        raise


def _checked(
    before: Pylock | None,
    declarations: Declarations,
    situation: CurrentState,
    decided: Callable[[LockPolicy], LockDecision],
) -> Outcome:
    """Return whether the lock is fresh; where there is none, what the declarations come to says if one is needed."""
    fresh = "pylock.toml is fresh"
    reasons: tuple[str, ...] = ()
    if before is not None:
        reasons = stale_reasons(before, declarations, situation.interpreter, source_tree_digests(declarations))
    else:
        fresh = "everything is pinned: no pylock.toml is needed"
        try:
            decided(LockPolicy(may_change=False))
        except StaleLock as stale:
            reasons = stale.facts
    lines = reasons or (fresh,)
    return Outcome(command="lock", exit_code=1 if reasons else 0, lines=lines, facts={"stale": list(reasons)})
