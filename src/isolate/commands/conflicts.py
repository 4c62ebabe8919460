"""`isolate conflicts`: what every application pins, and which requirement brought it in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from isolate.conflicts.pins import Pin
from isolate.declarations.read import read_declarations
from isolate.errors import StaleLock
from isolate.lock.graph import applies_here
from isolate.lock.locked_selections import selections_of
from isolate.lock.select import choose
from isolate.lock.tool_table import dependency_names
from isolate.outcome import Outcome
from isolate.redaction import redact
from isolate.request import LockPolicy
from isolate.resolution.candidates import candidate_locks
from isolate.resolution.interpreter import interpreter_for
from isolate.resolution.poetry import converted
from isolate.resolution.project_metadata import lock_context

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.pylock import Package, Pylock

    from isolate.application import Application
    from isolate.declarations.declared import DeclaredRequirement
    from isolate.resolution.context import LockContext
    from isolate.session import Session


def pins(application: Application, session: Session) -> Outcome:
    """Return, as facts, the pins of *application* and its Python: those of its lock, else those that it declares.

    Every extra and every group counts. The caller fills in the name of the application.
    """
    session = session.looking()
    declarations = converted(read_declarations(application.root), session)
    interpreter = interpreter_for(application, declarations, session)
    context = lock_context(application, declarations, interpreter, LockPolicy(), session)
    return Outcome(command="conflicts", facts={"pins": [*_pins(context)], "python": interpreter.version})


def _pins(context: LockContext) -> Iterator[Pin]:
    markers = context.interpreter.markers
    requirements = [declared for declared in context.declarations.requirements if applies_here(declared, markers)]
    direct = {declared.name: declared for declared in reversed(requirements)}
    for candidate in candidate_locks(context):
        if (packages := _locked_packages(candidate.lock, context)) is not None:
            yield from _pins_of_lock(packages, direct)
            return
    for declared in direct.values():
        if declared.name is not None and declared.pin is not None:
            yield Pin(application="", name=declared.name, version=declared.pin, declared=_shown(declared))


def _shown(declared: DeclaredRequirement) -> str:
    return redact(f"{declared.text} ({declared.origin})")


def _locked_packages(lock: Pylock, context: LockContext) -> dict[str, Package] | None:
    """Return one entry for each package in *lock*; None if the lock does not support the interpreter.

    Of several versions that exclude each other, the one counts that the first selection of the lock has.
    """
    declarations = context.declarations
    own = os.path.normpath(declarations.root)
    packages: dict[str, Package] = {}
    try:
        for selection in selections_of(lock):
            for package, dist in choose(lock, context.interpreter, selection, root=str(declarations.root)):
                if dist.directory != own:
                    packages.setdefault(dist.name, package)
    except StaleLock:
        return None
    return packages


def _pins_of_lock(packages: Mapping[str, Package], direct: Mapping[str | None, DeclaredRequirement]) -> Iterator[Pin]:
    edges = {name: dependency_names(package) for name, package in packages.items()}
    paths = paths_from([name for name in direct if name in packages and name is not None], edges)
    for name, package in packages.items():
        path = paths.get(name, ())
        root = direct.get((*path, name)[0])
        version = "" if package.version is None else str(package.version)
        yield Pin(application="", name=name, version=version, declared=_shown(root) if root else "", through=path)


def paths_from(roots: Iterable[str], edges: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """Return a shortest path to every name that *roots* lead to: the names above it, a root first."""
    paths: dict[str, tuple[str, ...]] = dict.fromkeys(roots, ())
    queue = list(paths)
    for name in queue:  # it grows while the loop runs: breadth first
        for needed in edges.get(name, ()):
            if needed not in paths:
                paths[needed] = (*paths[name], name)
                queue.append(needed)
    return paths
