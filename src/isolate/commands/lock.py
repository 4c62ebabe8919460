"""`isolate lock`: resolve versions and write pylock.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.declarations.read import read_declarations
from isolate.environment import staging
from isolate.errors import DeclarationError, NoDeclarations, StaleLock
from isolate.formatting import count
from isolate.lock.diff import diff
from isolate.lock.pylock_file import read_lock
from isolate.operations.builder import builder_for
from isolate.operations.inspect import InspectOptions, inspect
from isolate.operations.retry_damaged import retry_damaged
from isolate.outcome import Outcome
from isolate.request import LockPolicy
from isolate.resolution.candidates import staleness_reasons
from isolate.resolution.context import lock_context
from isolate.resolution.decide import decide
from isolate.resolution.without_build import without_build

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.pylock import Pylock

    from isolate.application import Application
    from isolate.request import Request
    from isolate.resolution.candidates import LockDecision
    from isolate.resolution.context import LockContext
    from isolate.session import Session


def lock(application: Application, request: Request, session: Session, *, check: bool = False) -> Outcome:
    """Write `pylock.toml`, keeping locked versions unless a declaration or *request* changes them.

    With *check* nothing is written: the exit code is 1 if the lock is out of date, or missing where one is needed.
    """
    session = session.looking() if check else session
    declarations = read_declarations(application.root)
    if not declarations.files:
        raise NoDeclarations(
            f"{application.name} has a lock and no declarations",
            hint="declare its requirements, then run `isolate lock`",
        )
    before = _existing_lock(application, request.lock_policy)
    with application.exclusive(session.waiting_for(application)), session.store.shared_access(session.waiting_for_gc):
        staging.recover(application)
        current = inspect(
            application, declarations, session, InspectOptions(python=request.python, allow_unmanaged=True)
        )
        context = lock_context(application, declarations, current.interpreter, request.lock_policy, session)

        def decide_with(context: LockContext) -> LockDecision:
            with builder_for(application, declarations, current, request, session) as builder:
                return decide(context, builder)

        if check:
            return _check(before, context._replace(policy=LockPolicy(may_change=False)), decide_with)
        decision = retry_damaged(lambda: decide_with(context), session)
        written = decision.is_new or not decision.in_tree
        if written:
            staging.write_file(application, application.lock_file, decision.content, session.progress.say)
    changes = diff(before, decision.lock)
    packages = count(len(decision.lock.packages), "package")
    summary = f"wrote pylock.toml: {packages}; run `isolate sync` to install" if written else f"up to date: {packages}"
    lines = (*changes, *decision.reason_lines, summary)
    return Outcome(command="lock", lines=lines, facts={"changes": list(changes), "written": written})


def _existing_lock(application: Application, policy: LockPolicy) -> Pylock | None:
    """Return the lock in the tree; an unreadable lock counts as no lock if every version may change."""
    try:
        return read_lock(application.lock_file)
    except DeclarationError:
        if policy.upgrade:
            return None
        raise


def _check(before: Pylock | None, context: LockContext, decide_with: Callable[[LockContext], LockDecision]) -> Outcome:
    """Return whether the lock is up to date; without a lock, whether the declarations need one."""
    fresh = "pylock.toml is up to date"
    reasons: tuple[str, ...] = ()
    if before is not None:
        reasons = staleness_reasons(before, context)
    else:
        fresh = "everything is pinned: pylock.toml is not needed"
        try:
            decide_with(context)
        except StaleLock as stale:
            reasons = stale.facts
        unknown = without_build(context).left_out
        reasons += tuple(f"metadata unknown: {text}: `isolate sync` builds it" for text in unknown)
    lines = reasons or (fresh,)
    return Outcome(command="lock", exit_code=1 if reasons else 0, lines=lines, facts={"stale": list(reasons)})
