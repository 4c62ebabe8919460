"""Which lock holds for an application: the one that is there if it is fresh, else a new one by pip."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING, NamedTuple

from isolate.environment.records import LOCK
from isolate.errors import DeclarationError, IsolateError, StaleLock
from isolate.formatting import count
from isolate.lock.environment_marker import environment_marker
from isolate.lock.freshness import staleness
from isolate.lock.local_sources import local_path, metadata_digests
from isolate.lock.pinning import is_fully_pinned, unpinned
from isolate.lock.pylock_file import lock_content, parse_lock, read_lock
from isolate.lock.select import other_python, supports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from packaging.pylock import Pylock

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.environment.builder import EnvironmentBuilder
    from isolate.interpreters.interpreter import Interpreter
    from isolate.request import LockPolicy
    from isolate.resolution.new_lock import PinFetcher
    from isolate.store.store import Store

MISSING: tuple[str, ...] = ("there is no lock",)


class LockDecision(NamedTuple):
    """The lock that holds.

    `in_tree`: it belongs into the application's directory. `is_new`: it is not yet written down, for these `reasons`.
    """

    lock: Pylock
    text: bytes
    in_tree: bool
    is_new: bool = False
    reasons: tuple[str, ...] = ()

    @property
    def because(self) -> tuple[str, ...]:
        """Return a line that says why a lock that was there is written anew; nothing where that was asked for."""
        if not self.is_new or self.reasons in ((), MISSING):
            return ()
        more = f" (and {count(len(self.reasons) - 1, 'more reason')})" if len(self.reasons) > 1 else ""
        return (f"decided anew: {self.reasons[0]}{more}",)


def decide(
    declarations: Declarations, policy: LockPolicy, builder: EnvironmentBuilder, *, learn: PinFetcher | None = None
) -> LockDecision:
    """Return the lock for the application of *workshop*; its pip is asked only if there is none that is fresh.

    *learn* may add to what is known about pins, and says whether it has.
    Raises `StaleLock` where the lock may not change, unless there is none and none is needed, and whatever pip's
    failure is explained as.
    """
    application, interpreter = builder.application, builder.interpreter
    trees = source_tree_digests(declarations)
    if policy.upgrade_packages:
        every = _usable_locks(application, declarations, interpreter, policy, builder.store)
        policy = policy._replace(upgrade_packages=_movable(policy, every, declarations))
    best, why = first_valid(
        _usable_locks(application, declarations, interpreter, policy, builder.store),
        lambda one: _staleness_reasons(one, declarations, interpreter, policy, trees),
    )
    if best is not None and why is None:
        return _place_lock(best, application, declarations, policy)
    why = why or ()
    in_tree = application.lock_file.exists()
    if not policy.validate or (in_tree and not policy.may_change):
        raise _stale(application, why, best, interpreter)
    from isolate.resolution.new_lock import new_lock

    lock = new_lock(declarations, None if best is None else best.lock, policy, builder, trees, learn)
    unpinned_names = unpinned(lock, declarations)
    if unpinned_names and not policy.may_change:
        raise _stale(application, (*why, f"not pinned: {', '.join(unpinned_names)}"), best, interpreter)
    in_tree, text = in_tree or bool(unpinned_names), lock_content(lock)
    if best is not None and best.in_tree and best.text == text:
        return best
    return LockDecision(lock=lock, text=text, in_tree=in_tree, is_new=True, reasons=why)


def _movable(policy: LockPolicy, locks: Iterable[LockDecision], declarations: Declarations) -> tuple[str, ...]:
    """Return those packages of *moves* that are locked or declared; raise `IsolateError` if others had to be, too."""
    known = {one.name for one in (*declarations.requirements, *declarations.constraints)}
    known |= {str(package.name) for one in locks for package in one.lock.packages}
    unknown = [name for name in policy.upgrade_packages if name not in known]
    if unknown and policy.require_known:
        problem = f"{', '.join(unknown)}: neither locked nor declared, so there is nothing to upgrade"
        raise IsolateError(problem, hint="check the spelling, or declare it and sync")
    return tuple(name for name in policy.upgrade_packages if name in known)


def _place_lock(
    found: LockDecision, application: Application, declarations: Declarations, policy: LockPolicy
) -> LockDecision:
    """Return the lock that was *found* to hold; it has to be written into the tree if that needs one and has none."""
    if found.in_tree or not policy.validate or is_fully_pinned(found.lock, declarations):
        return found
    if not policy.may_change:
        raise _stale(application, MISSING)
    return found._replace(in_tree=True, is_new=True, reasons=MISSING)


def _stale(
    application: Application,
    reasons: tuple[str, ...],
    found: LockDecision | None = None,
    here: Interpreter | None = None,
) -> StaleLock:
    problem = f"the lock of {application.name} does not meet its declarations"
    hint = "run `isolate lock`"
    if found is not None and here is not None and not supports(found.lock, here):
        problem, hint = f"the lock of {application.name} is for another Python", other_python(found.lock)
    return StaleLock(problem, facts=reasons, hint=hint)


def valid_lock(
    application: Application, declarations: Declarations, interpreter: Interpreter, policy: LockPolicy, store: Store
) -> LockDecision | None:
    """Return what `decide` does where it asks no pip; None if it would."""
    trees = source_tree_digests(declarations)
    found = _usable_locks(application, declarations, interpreter, policy, store)
    best, why = first_valid(found, lambda one: _staleness_reasons(one, declarations, interpreter, policy, trees))
    return best if why is None else None


def first_valid(
    locks: Iterable[LockDecision], objections: Callable[[LockDecision], tuple[str, ...] | None]
) -> tuple[LockDecision | None, tuple[str, ...] | None]:
    """Return the first of *locks* to which there are no *objections* (None), and None; else the first, and why not."""
    best: LockDecision | None = None
    why = MISSING
    for one in locks:
        found = objections(one)
        if found is None:
            return one, None
        if best is None:
            best, why = one, found
    return best, why


def _staleness_reasons(
    found: LockDecision,
    declarations: Declarations,
    interpreter: Interpreter,
    policy: LockPolicy,
    trees: Mapping[str, str],
) -> tuple[str, ...] | None:
    """Return why a lock that was found is stale, if it is; None if it holds. A fresh one does unless it is to move."""
    if not policy.validate or not declarations.files:
        return None
    stale = stale_reasons(found.lock, declarations, interpreter, trees)
    return stale if stale or policy.upgrade or policy.upgrade_packages else None


def stale_reasons(
    lock: Pylock | None, declarations: Declarations, interpreter: Interpreter, trees: Mapping[str, str]
) -> tuple[str, ...]:
    """Return why *lock* does not meet *declarations*; nothing if it does, or if it is all that is declared.

    *trees* has a digest of the metadata of each source tree, by its absolute path.
    """
    if lock is None:
        return MISSING
    return staleness(lock, declarations, interpreter, trees) if declarations.files else ()


def _usable_locks(
    application: Application, declarations: Declarations, interpreter: Interpreter, policy: LockPolicy, store: Store
) -> Iterator[LockDecision]:
    """Yield what `candidate_locks` does; if every version may change, an unreadable lock counts as no lock."""
    try:
        yield from candidate_locks(application, declarations, interpreter, store)
    except DeclarationError:
        if not policy.upgrade or not declarations.files:
            raise


def candidate_locks(
    application: Application, declarations: Declarations, interpreter: Interpreter, store: Store
) -> Iterator[LockDecision]:
    """Yield the locks that there are, the one to believe first: that of the tree alone if it has one.

    Else it is the one that the environment was made from, and the one that the store remembers for these declarations.
    """
    if (lock := read_lock(application.lock_file)) is not None:
        yield LockDecision(lock=lock, text=application.lock_file.read_bytes(), in_tree=True)
        return
    for path in (application.venv / LOCK, store.paths.cached_lock(lock_cache_key(declarations, interpreter))):
        with contextlib.suppress(OSError, IsolateError):
            text = path.read_bytes()
            yield LockDecision(lock=parse_lock(text, path), text=text, in_tree=False)


def lock_cache_key(declarations: Declarations, interpreter: Interpreter) -> str:
    """Return a digest (hex) of the declarations to the letter, and of what an interpreter makes of them."""
    digest = hashlib.sha256(environment_marker(interpreter.markers).encode())
    for file, content in declarations.contents.items():
        digest.update(f"\0{file.name}\0".encode() + content)
    return digest.hexdigest()


def source_tree_digests(declarations: Declarations) -> Mapping[str, str]:
    """Return a digest of the metadata of each source tree that *declarations* name, by its absolute path."""
    return metadata_digests(source_trees(declarations))


def source_trees(declarations: Declarations) -> list[str]:
    """Return the directories and archives, there or not, that the lock depends on beyond the declarations."""
    trees = [path for one in declarations.requirements if (path := local_path(one)) is not None]
    if declarations.has_dynamic_dependencies:
        trees.append(str(declarations.root))
    return trees
