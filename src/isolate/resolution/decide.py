"""Decide which lock holds for an application: an existing one that is valid, else a new one by pip."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from isolate.errors import DeclarationError, StaleLock, UnknownName
from isolate.lock.locked_selections import not_locked
from isolate.lock.parts import as_options, parts_of
from isolate.lock.pinning import is_fully_pinned, unpinned
from isolate.lock.pylock_file import lock_content, read_lock
from isolate.lock.select import other_python, supports
from isolate.resolution.candidates import MISSING, LockDecision, Verdict, judge, usable_locks

if TYPE_CHECKING:
    from packaging.pylock import Pylock

    from isolate.environment.builder import EnvironmentBuilder
    from isolate.resolution.context import LockContext
    from isolate.resolution.new_lock import NewLock, PinFetcher


def decide(context: LockContext, builder: EnvironmentBuilder, *, fetch_pins: PinFetcher | None = None) -> LockDecision:
    """Return the lock for an application. The pip of *builder* is asked only if no existing lock is valid.

    *fetch_pins* may fetch pinned distributions ahead of a resolution. Raises `StaleLock` if the lock would have to
    change and may not, unless there is no lock and none is needed, and `PipFailed` if pip cannot resolve.
    """
    if context.policy.upgrade_packages:
        context = context._replace(policy=context.policy._replace(upgrade_packages=_upgradable(context)))
    verdict = judge(context)
    if verdict.best is not None and verdict.is_valid:
        return _place_lock(verdict.best, context)
    if not context.policy.validate or (context.has_lock_file and not context.policy.may_change):
        raise _stale(context, verdict)
    from isolate.resolution.new_lock import new_lock

    return _new_decision(
        new_lock(context, verdict.lock or _lock_of_application(context), builder, fetch_pins), verdict, context
    )


def _lock_of_application(context: LockContext) -> Pylock | None:
    """Return the lock in the tree if files were named: it is not about them, but they may keep its versions."""
    if not context.declarations.named.has_files:
        return None
    with contextlib.suppress(DeclarationError):
        return read_lock(context.application.lock_file)
    return None


def _new_decision(new: NewLock, verdict: Verdict, context: LockContext) -> LockDecision:
    """Return what becomes of the *new* lock; raise `StaleLock` if it would have to be written and must not be."""
    lock = new.lock
    open_names = unpinned(lock, context.declarations)
    reasons = verdict.reasons or ()
    if open_names and not context.policy.may_change:
        raise _stale(context, Verdict(verdict.best, (*reasons, f"not pinned: {', '.join(open_names)}")))
    content = lock_content(lock)
    in_tree = context.has_lock_file or (bool(open_names) and context.lock_file is not None)
    if verdict.best is not None and verdict.best.in_tree and verdict.best.content == content:
        return verdict.best
    return LockDecision(lock=lock, content=content, in_tree=in_tree, is_new=True, reasons=reasons, notes=new.notes)


def _upgradable(context: LockContext) -> tuple[str, ...]:
    """Return the packages to upgrade that are locked or declared.

    Raises `UnknownName` for a different name, unless the command is about several applications.
    """
    declarations, names = context.declarations, context.policy.upgrade_packages
    known = {declared.name for declared in (*declarations.requirements, *declarations.constraints)}
    known |= {str(package.name) for candidate in usable_locks(context) for package in candidate.lock.packages}
    unknown = [name for name in names if name not in known]
    if unknown and context.policy.require_known:
        raise UnknownName(
            f"cannot upgrade {', '.join(unknown)}: not declared and not in the lock",
            hint="check the spelling, or declare it and run `isolate sync`",
        )
    return tuple(name for name in names if name in known)


def _place_lock(decision: LockDecision, context: LockContext) -> LockDecision:
    """Return the valid lock of *decision*, to be written into the tree if the declarations do not pin everything."""
    policy = context.policy
    if decision.in_tree or context.lock_file is None or not policy.validate:
        return decision
    if is_fully_pinned(decision.lock, context.declarations):
        return decision
    if not policy.may_change:
        raise _stale(context, Verdict(None, MISSING))
    return decision._replace(in_tree=True, is_new=True, reasons=MISSING)


def _stale(context: LockContext, verdict: Verdict) -> StaleLock:
    """Return the error that says why no lock holds and none may be written."""
    name, lock = context.application.name, verdict.lock
    problem, hint = f"pylock.toml of {name} is out of date", "run `isolate lock`"
    if lock is None:
        problem = f"{name} has no pylock.toml, and its declarations do not pin everything"
    elif not supports(lock, context.interpreter):
        problem, hint = f"pylock.toml of {name} is for a different Python or platform", other_python(lock)
    elif verdict.reasons == (not_locked(lock, context.asked),):
        problem = f"pylock.toml of {name} does not have what is asked for"
        hint = f"run `isolate sync {as_options(parts_of(context.asked))}` without --locked"
    return StaleLock(problem, facts=verdict.reasons or (), hint=hint)
