"""`isolate lock`: decide, and write it down."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from isolate.declarations.reading import read_declarations
from isolate.environment import staging
from isolate.errors import DeclarationError, IsolateError, StaleLock
from isolate.lock.changes import moved
from isolate.lock.pylock_file import read_lock
from isolate.report import Outcome, count
from isolate.steps.locking import Decision, decide, digests_of_trees, stale_reasons
from isolate.steps.looking import look_at
from isolate.steps.mending import mending
from isolate.steps.request import Moves
from isolate.steps.workshops import workshop_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.pylock import Pylock

    from isolate.application import Application
    from isolate.declarations.model import Declarations
    from isolate.steps.request import Request
    from isolate.steps.session import Session
    from isolate.steps.situation import Situation


def lock(application: Application, request: Request, session: Session, *, check: bool = False) -> Outcome:
    """Write `pylock.toml`, keeping what is locked unless a declaration or *request* moves it.

    With *check* nothing is written: the exit code is 1 if the lock is stale, or missing where one is needed.
    """
    declarations = read_declarations(application.root)
    if not declarations.files:
        raise IsolateError(f"{application.name} declares nothing but its lock", hint="declare what it needs, then lock")
    before = _lock_before(application, request.moves)
    with application.exclusive(session.waiting_for(application)), session.store.in_use(session.waiting_for_gc):
        staging.recover(application)
        situation = look_at(application, declarations, request.python, session, any_environment=True)

        def decided(moves: Moves) -> Decision:
            with workshop_for(application, declarations, situation, request, session) as workshop:
                return decide(declarations, moves, workshop)

        if check:
            return _checked(before, declarations, situation, decided)
        decision = mending(partial(decided, request.moves), session)
        written = decision.is_new or not decision.in_tree
        if written:
            staging.write_file(application, application.lock_file, decision.text)
    changes = moved(before, decision.lock)
    verb = "wrote" if written else "kept"
    follow = "; `isolate sync` brings the environment into step" if written else ""
    said = f"{verb} pylock.toml: {count(len(decision.lock.packages), 'package')}{follow}"
    lines = (*changes, *decision.because, said)
    return Outcome(command="lock", lines=lines, facts={"changes": list(changes), "written": written})


def _lock_before(application: Application, moves: Moves) -> Pylock | None:
    """Return the lock that is there; where every version may move, one that cannot be read is as good as none."""
    try:
        return read_lock(application.lock_file)
    except DeclarationError:
        if moves.upgrade:
            return None
        raise


def _checked(
    before: Pylock | None, declarations: Declarations, situation: Situation, decided: Callable[[Moves], Decision]
) -> Outcome:
    """Return whether the lock is fresh; where there is none, what the declarations come to says if one is needed."""
    fresh = "pylock.toml is fresh"
    reasons: tuple[str, ...] = ()
    if before is not None:
        reasons = stale_reasons(before, declarations, situation.interpreter, digests_of_trees(declarations))
    else:
        fresh = "everything is pinned: no pylock.toml is needed"
        try:
            decided(Moves(allowed=False))
        except StaleLock as stale:
            reasons = stale.facts
    lines = reasons or (fresh,)
    return Outcome(command="lock", exit_code=1 if reasons else 0, lines=lines, facts={"stale": list(reasons)})
