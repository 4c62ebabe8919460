"""Which lock holds for an application: the one that is there if it is fresh, else a new one by pip."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING, NamedTuple

from isolate.environment.records import LOCK
from isolate.errors import DeclarationError, IsolateError, StaleLock
from isolate.lock.freshness import staleness
from isolate.lock.model import environment_marker
from isolate.lock.openness import is_closed, left_open
from isolate.lock.pylock_file import lock_text, parse_lock, read_lock
from isolate.lock.selection import other_python, serves
from isolate.lock.trees import local_path, metadata_digests
from isolate.report import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from packaging.pylock import Pylock

    from isolate.application import Application
    from isolate.declarations.model import Declarations
    from isolate.environment.workshop import Workshop
    from isolate.interpreters.model import Interpreter
    from isolate.steps.new_lock import Learn
    from isolate.steps.request import Moves
    from isolate.store.layout import Store

MISSING: tuple[str, ...] = ("there is no lock",)


class Decision(NamedTuple):
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


def decide(declarations: Declarations, moves: Moves, workshop: Workshop, *, learn: Learn | None = None) -> Decision:
    """Return the lock for the application of *workshop*; its pip is asked only if there is none that is fresh.

    *learn* may add to what is known about pins, and says whether it has.
    Raises `StaleLock` where the lock may not change, unless there is none and none is needed, and whatever pip's
    failure is explained as.
    """
    application, interpreter = workshop.application, workshop.interpreter
    trees = digests_of_trees(declarations)
    if moves.packages:
        every = _usable_locks(application, declarations, interpreter, moves, workshop.store)
        moves = moves._replace(packages=_movable(moves, every, declarations))
    best, why = first_to_hold(
        _usable_locks(application, declarations, interpreter, moves, workshop.store),
        lambda one: _objections(one, declarations, interpreter, moves, trees),
    )
    if best is not None and why is None:
        return _where_it_belongs(best, application, declarations, moves)
    why = why or ()
    in_tree = application.lock_file.exists()
    if not moves.examined or (in_tree and not moves.allowed):
        raise _stale(application, why, best, interpreter)
    from isolate.steps.new_lock import new_lock  # noqa: PLC0415 - mostly a lock holds

    lock = new_lock(declarations, None if best is None else best.lock, moves, workshop, trees, learn)
    unpinned = left_open(lock, declarations)
    if unpinned and not moves.allowed:
        raise _stale(application, (*why, f"not pinned: {', '.join(unpinned)}"), best, interpreter)
    in_tree, text = in_tree or bool(unpinned), lock_text(lock)
    if best is not None and best.in_tree and best.text == text:
        return best
    return Decision(lock=lock, text=text, in_tree=in_tree, is_new=True, reasons=why)


def _movable(moves: Moves, locks: Iterable[Decision], declarations: Declarations) -> tuple[str, ...]:
    """Return those packages of *moves* that are locked or declared; raise `IsolateError` if others had to be, too."""
    known = {one.name for one in (*declarations.requirements, *declarations.constraints)}
    known |= {str(package.name) for one in locks for package in one.lock.packages}
    unknown = [name for name in moves.packages if name not in known]
    if unknown and moves.known:
        problem = f"{', '.join(unknown)}: neither locked nor declared, so there is nothing to upgrade"
        raise IsolateError(problem, hint="check the spelling, or declare it and sync")
    return tuple(name for name in moves.packages if name in known)


def _where_it_belongs(found: Decision, application: Application, declarations: Declarations, moves: Moves) -> Decision:
    """Return the lock that was *found* to hold; it has to be written into the tree if that needs one and has none."""
    if found.in_tree or not moves.examined or is_closed(found.lock, declarations):
        return found
    if not moves.allowed:
        raise _stale(application, MISSING)
    return found._replace(in_tree=True, is_new=True, reasons=MISSING)


def _stale(
    application: Application, reasons: tuple[str, ...], found: Decision | None = None, here: Interpreter | None = None
) -> StaleLock:
    problem = f"the lock of {application.name} does not meet its declarations"
    hint = "run `isolate lock`"
    if found is not None and here is not None and not serves(found.lock, here):
        problem, hint = f"the lock of {application.name} is for another Python", other_python(found.lock)
    return StaleLock(problem, facts=reasons, hint=hint)


def held_lock(
    application: Application, declarations: Declarations, interpreter: Interpreter, moves: Moves, store: Store
) -> Decision | None:
    """Return what `decide` does where it asks no pip; None if it would."""
    trees = digests_of_trees(declarations)
    found = _usable_locks(application, declarations, interpreter, moves, store)
    best, why = first_to_hold(found, lambda one: _objections(one, declarations, interpreter, moves, trees))
    return best if why is None else None


def first_to_hold(
    locks: Iterable[Decision], objections: Callable[[Decision], tuple[str, ...] | None]
) -> tuple[Decision | None, tuple[str, ...] | None]:
    """Return the first of *locks* to which there are no *objections* (None), and None; else the first, and why not."""
    best: Decision | None = None
    why = MISSING
    for one in locks:
        found = objections(one)
        if found is None:
            return one, None
        if best is None:
            best, why = one, found
    return best, why


def _objections(
    found: Decision, declarations: Declarations, interpreter: Interpreter, moves: Moves, trees: Mapping[str, str]
) -> tuple[str, ...] | None:
    """Return why a lock that was found is stale, if it is; None if it holds. A fresh one does unless it is to move."""
    if not moves.examined or not declarations.files:
        return None
    stale = stale_reasons(found.lock, declarations, interpreter, trees)
    return stale if stale or moves.upgrade or moves.packages else None


def stale_reasons(
    lock: Pylock | None, declarations: Declarations, interpreter: Interpreter, trees: Mapping[str, str]
) -> tuple[str, ...]:
    """Return why *lock* does not meet *declarations*; nothing if it does, or if it is all that is declared.

    *trees* has a digest of the metadata of each source tree, by its absolute path.
    """
    if lock is None:
        return MISSING
    return staleness(lock, declarations, interpreter, trees=trees) if declarations.files else ()


def _usable_locks(
    application: Application, declarations: Declarations, interpreter: Interpreter, moves: Moves, store: Store
) -> Iterator[Decision]:
    """Yield what `find_locks` does; where every version may move, a lock that cannot be read is as good as none."""
    try:
        yield from find_locks(application, declarations, interpreter, store)
    except DeclarationError:
        if not moves.upgrade or not declarations.files:
            raise


def find_locks(
    application: Application, declarations: Declarations, interpreter: Interpreter, store: Store
) -> Iterator[Decision]:
    """Yield the locks that there are, the one to believe first: that of the tree alone if it has one.

    Else it is the one that the environment was made from, and the one that the store remembers for these declarations.
    """
    if (lock := read_lock(application.lock_file)) is not None:
        yield Decision(lock=lock, text=application.lock_file.read_bytes(), in_tree=True)
        return
    for path in (application.venv / LOCK, store.remembered_lock(digest_of(declarations, interpreter))):
        with contextlib.suppress(OSError, IsolateError):
            text = path.read_bytes()
            yield Decision(lock=parse_lock(text, path), text=text, in_tree=False)


def digest_of(declarations: Declarations, interpreter: Interpreter) -> str:
    """Return a digest (hex) of the declarations to the letter, and of what an interpreter makes of them."""
    digest = hashlib.sha256(environment_marker(interpreter.markers).encode())
    for file, content in declarations.contents.items():
        digest.update(f"\0{file.name}\0".encode() + content)
    return digest.hexdigest()


def digests_of_trees(declarations: Declarations) -> Mapping[str, str]:
    """Return a digest of the metadata of each source tree that *declarations* name, by its absolute path."""
    return metadata_digests(source_trees(declarations))


def source_trees(declarations: Declarations) -> list[str]:
    """Return the directories and archives, there or not, that the lock depends on beyond the declarations."""
    trees = [path for one in declarations.requirements if (path := local_path(one)) is not None]
    if declarations.ask_for_project:
        trees.append(str(declarations.root))
    return trees
