"""The locks that an application already has, and the first of them that is valid."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, NamedTuple

from isolate.bounded_read import read_bounded
from isolate.environment.records import LOCK, read_record, read_state
from isolate.errors import DeclarationError, IsolateError
from isolate.formatting import count
from isolate.lock.locked_selections import not_locked
from isolate.lock.pylock_file import parse_lock, read_lock_content
from isolate.resolution.completeness import unmet_dependencies
from isolate.signed_record import Unverified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from packaging.pylock import Pylock

    from isolate.resolution.context import LockContext

log = logging.getLogger(__name__)

MISSING: tuple[str, ...] = ("there is no lock",)
"""The reason to resolve where an application has no lock."""


class LockDecision(NamedTuple):
    """The lock that an environment is made from.

    `in_tree`: it belongs into the application's directory. `is_new`: it is not written there yet, for these `reasons`.
    `notes` are those of a `NewLock`. `is_installed`: the environment was made from it.
    """

    lock: Pylock
    content: bytes
    in_tree: bool
    is_new: bool = False
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    is_installed: bool = False

    @property
    def reason_lines(self) -> tuple[str, ...]:
        """Return a line that says why an existing lock is replaced; none if the user asked for that."""
        if not self.is_new or self.reasons in ((), MISSING):
            return ()
        more = f" (and {count(len(self.reasons) - 1, 'more reason')})" if len(self.reasons) > 1 else ""
        return (f"re-resolved: {self.reasons[0]}{more}",)


class Verdict(NamedTuple):
    """The first valid lock with no `reasons`; else the first lock there is, if any, and why it does not hold."""

    best: LockDecision | None
    reasons: tuple[str, ...] | None

    @property
    def is_valid(self) -> bool:
        """Return whether `best` holds as it is."""
        return self.best is not None and self.reasons is None

    @property
    def lock(self) -> Pylock | None:
        """Return the lock to keep versions of, valid or not."""
        return None if self.best is None else self.best.lock


def candidate_locks(context: LockContext) -> Iterator[LockDecision]:
    """Yield the locks that exist, the most trusted first: the lock in the tree alone if there is one.

    Without it: the lock that the environment was made from, then the one that the store has for these declarations; the
    other way round if the environment was made from other declarations.
    """
    lock_file = context.lock_file
    if lock_file is not None and (content := read_lock_content(lock_file)) is not None:
        log.info("lock: considering %s", lock_file)
        yield LockDecision(lock=parse_lock(content, lock_file), content=content, in_tree=True)
        return
    venv, cached = context.application.venv, context.store.find(context.store.paths.cached_lock(context.cache_key))
    for path in _in_order(venv / LOCK, cached, context):
        with contextlib.suppress(OSError, Unverified, IsolateError):
            content = read_bounded(cached) if path == cached else read_record(venv, LOCK)
            log.info("lock: considering %s", path)
            lock = parse_lock(content, path)
            yield LockDecision(lock=lock, content=content, in_tree=False, is_installed=path != cached)


def _in_order(own: Path, cached: Path, context: LockContext) -> tuple[Path, ...]:
    """Return the paths of the environment's *own* lock and the *cached* one, the more trusted first.

    The own lock does not count if it was made from other files that were named: a lock of more than those is the base
    for a lock of named files, but never the other way round.
    """
    state, named = read_state(context.application.venv), context.declarations.named
    if state is None:
        return own, cached
    if state.named.has_files and not named.has_files:
        return (cached,)
    was_made_from_others = context.policy.validate and state.lock_key not in ("", context.cache_key)
    return (cached, own) if was_made_from_others else (own, cached)


def usable_locks(context: LockContext) -> Iterator[LockDecision]:
    """Yield the candidates; an unreadable lock counts as no lock if every version may change."""
    try:
        yield from candidate_locks(context)
    except DeclarationError:
        if not context.policy.upgrade or not context.declarations.files:
            raise


def valid_lock(context: LockContext) -> LockDecision | None:
    """Return the lock that holds as it is; None if pip has to be asked."""
    verdict = judge(context)
    return verdict.best if verdict.is_valid else None


def judge(context: LockContext) -> Verdict:
    """Return the first usable lock that may be taken as it is, judging no more locks than that takes."""
    return first_valid(usable_locks(context), lambda candidate: _reasons_to_resolve(candidate, context))


def first_valid(
    locks: Iterable[LockDecision], reasons_against: Callable[[LockDecision], tuple[str, ...] | None]
) -> Verdict:
    """Return the first of *locks* for which *reasons_against* returns None.

    Else return that of the environment, or the first one without it, and the reasons against it.
    """
    best: LockDecision | None = None
    reasons = MISSING
    for candidate in locks:
        found = reasons_against(candidate)
        if found is None:
            log.info("lock: it holds")
            return Verdict(candidate, None)
        log.info("lock: it does not hold: %s", "; ".join(found) or "versions are to be upgraded")
        if best is None or candidate.is_installed:
            best, reasons = candidate, found
    return Verdict(best, reasons)


def _reasons_to_resolve(candidate: LockDecision, context: LockContext) -> tuple[str, ...] | None:
    """Return None if the lock holds; else why it is stale, or an empty tuple if it is fresh but has to be upgraded."""
    policy = context.policy
    if not policy.validate or not context.declarations.files:
        return None
    stale = staleness_reasons(candidate, context)
    return stale if stale or policy.upgrade or policy.upgrade_packages else None


def staleness_reasons(candidate: LockDecision, context: LockContext) -> tuple[str, ...]:
    """Return why the lock does not satisfy the declarations or itself, or lacks what is asked for.

    Nothing is returned if it does and has all of it, or if it is the only declaration.
    """
    lock = candidate.lock
    if not context.declarations.files:
        return ()
    if stale := context.staleness_of(lock):
        return stale
    if lacking := not_locked(lock, context.asked):
        return (lacking,)
    return unmet_dependencies(lock, candidate.content, context)
