"""`isolate conflicts`: what every application pins, and who brought it there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from isolate.conflicts.pins import Pin
from isolate.declarations.read import read_declarations
from isolate.errors import StaleLock
from isolate.lock.graph import applies_here
from isolate.lock.select import select
from isolate.locked import Selection
from isolate.outcome import Outcome
from isolate.pip.redaction import redact
from isolate.resolution.decide import candidate_locks
from isolate.resolution.interpreter import interpreter_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.pylock import Pylock

    from isolate.application import Application
    from isolate.declarations.declared import Declarations, DeclaredRequirement
    from isolate.interpreters.interpreter import Interpreter
    from isolate.session import Session


def pins(application: Application, session: Session) -> Outcome:
    """Return, as facts, the pins of *application* and its Python: those of its lock, else those that it declares.

    Every extra and every group counts. A pin lacks only the name of the application.
    """
    declarations = read_declarations(application.root)
    interpreter = interpreter_for(application, declarations, session)
    found = list(_pins(application, declarations, interpreter, session))
    return Outcome(command="conflicts", facts={"pins": found, "python": interpreter.version})


def _pins(
    application: Application, declarations: Declarations, interpreter: Interpreter, session: Session
) -> Iterator[Pin]:
    direct = {one.name: one for one in reversed(declarations.requirements) if applies_here(one, interpreter.markers)}
    for one in candidate_locks(application, declarations, interpreter, session.store):
        if (locked := _locked(one.lock, declarations, interpreter)) is not None:
            yield from _from_lock(one.lock, locked, direct)
            return
    for declared in direct.values():
        if declared.name is not None and declared.pin is not None:
            yield Pin(application="", name=declared.name, version=declared.pin, declared=_said(declared))


def _said(declared: DeclaredRequirement) -> str:
    return redact(f"{declared.text} ({declared.origin})")


def _locked(lock: Pylock, declarations: Declarations, interpreter: Interpreter) -> dict[str, str] | None:
    """Return what *lock* holds, each with its version; None if it does not serve the interpreter."""
    everything = Selection(extras=declarations.extras, groups=declarations.groups)
    try:
        found = select(lock, interpreter, everything, root=str(declarations.root))
    except StaleLock:
        return None
    own = os.path.normpath(declarations.root)
    return {one.name: one.version or "" for one in found if one.directory != own}


def _from_lock(
    lock: Pylock, locked: Mapping[str, str], direct: Mapping[str | None, DeclaredRequirement]
) -> Iterator[Pin]:
    edges = {str(one.name): [str(edge["name"]) for edge in one.dependencies or ()] for one in lock.packages}
    ways = ways_from([name for name in direct if name in locked and name is not None], edges)
    for name, version in locked.items():
        way = ways.get(name, ())
        root = direct.get((*way, name)[0])
        yield Pin(application="", name=name, version=version, declared=_said(root) if root else "", through=way)


def ways_from(roots: Iterable[str], edges: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """Return, for everything that is reached from *roots*, a shortest way there: the names above it, a root first."""
    ways: dict[str, tuple[str, ...]] = dict.fromkeys(roots, ())
    todo = list(ways)
    for name in todo:  # grows while it is gone through: breadth first
        for needed in edges.get(name, ()):
            if needed not in ways:
                ways[needed] = (*ways[name], name)
                todo.append(needed)
    return ways
