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
from isolate.operations.retry_python import retry_with_fitting_python
from isolate.outcome import Outcome
from isolate.pip.user_demands import with_user_demands
from isolate.request import LockPolicy
from isolate.resolution.candidates import candidate_locks, staleness_reasons
from isolate.resolution.decide import decide
from isolate.resolution.poetry import converted
from isolate.resolution.project_metadata import lock_context, with_built_metadata
from isolate.resolution.without_build import without_build

if TYPE_CHECKING:
    from packaging.pylock import Pylock

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.operations.current_state import CurrentState
    from isolate.request import Request
    from isolate.resolution.candidates import LockDecision
    from isolate.resolution.context import LockContext
    from isolate.session import Session


def lock(application: Application, request: Request, session: Session, *, check: bool = False) -> Outcome:
    """Write `pylock.toml`, keeping locked versions unless a declaration or *request* changes them.

    With *check* nothing is written: the exit code is 1 if the lock is out of date, or missing where one is needed.
    """
    session = session.looking() if check else session
    declarations = converted(read_declarations(application.root), session)
    declarations = with_user_demands(declarations, session.environ, application.venv)
    if not declarations.files:
        raise NoDeclarations(
            f"{application.name} has a lock and no declarations",
            hint="declare its requirements, then run `isolate lock`",
        )
    before = _existing_lock(application, request.lock_policy)
    with application.exclusive(session.waiting_for(application)), session.store.shared_access(session.waiting_for_gc):
        staging.recover(application)
        if check:
            return _check(before, application, declarations, request, session)
        decision = retry_damaged(lambda: _decide(application, declarations, request, session), session)
        written = decision.is_new or not decision.in_tree
        if written:
            staging.write_file(application, application.lock_file, decision.content, session.progress.say)
    changes = diff(before, decision.lock)
    packages = count(len({package.name for package in decision.lock.packages}), "package")
    summary = f"wrote pylock.toml: {packages}; run `isolate sync` to install" if written else f"up to date: {packages}"
    lines = (*changes, *decision.reason_lines, *decision.notes, summary)
    facts = {"changes": list(changes), "notes": list(decision.notes), "written": written}
    return Outcome(command="lock", lines=lines, facts=facts)


def _decide(application: Application, declarations: Declarations, request: Request, session: Session) -> LockDecision:
    def decide_in(session: Session) -> LockDecision:
        context, current = _context(application, declarations, request, session)
        with builder_for(application, declarations, current, request, session) as builder:
            return decide(with_built_metadata(context, builder), builder)

    return retry_with_fitting_python(decide_in, application, lambda: (request, declarations), session)


def _context(
    application: Application, declarations: Declarations, request: Request, session: Session
) -> tuple[LockContext, CurrentState]:
    """Return what the decision depends on, and the current state of the application."""
    options = InspectOptions(python=request.python, allow_unmanaged=True)
    current = inspect(application, declarations, session, options)
    return lock_context(application, declarations, current.interpreter, request.lock_policy, session), current


def _existing_lock(application: Application, policy: LockPolicy) -> Pylock | None:
    """Return the lock in the tree; an unreadable lock counts as no lock if every version may change."""
    try:
        return read_lock(application.lock_file)
    except DeclarationError:
        if policy.upgrade:
            return None
        raise


def _check(
    before: Pylock | None, application: Application, declarations: Declarations, request: Request, session: Session
) -> Outcome:
    """Return whether the lock is up to date; without a lock, whether the declarations need one."""
    request = request._replace(lock_policy=LockPolicy(may_change=False))
    context, _ = _context(application, declarations, request, session)
    fresh = "pylock.toml is up to date"
    reasons: tuple[str, ...] = ()
    if before is not None:
        reasons = staleness_reasons(next(candidate_locks(context)), context)
    else:
        fresh = "everything is pinned: pylock.toml is not needed"
        try:
            _decide(application, declarations, request, session)
        except StaleLock as stale:
            reasons = stale.facts
        unknown = without_build(context).left_out
        reasons += tuple(f"metadata unknown: {text}: `isolate sync` builds it" for text in unknown)
    lines = reasons or (fresh,)
    return Outcome(command="lock", exit_code=1 if reasons else 0, lines=lines, facts={"stale": list(reasons)})
