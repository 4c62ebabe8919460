"""A new lock, where none that is there holds: from what is known, from pins that are fetched anyway, else by pip."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from isolate.lock.freshness import staleness
from isolate.lock.from_report import lock_from
from isolate.lock.recall import recall
from isolate.pip.surroundings import settings_digest
from isolate.steps.resolving import kept, resolve, resolve_moved
from isolate.store.known import Known

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.pylock import Pylock

    from isolate.application import Application
    from isolate.declarations.model import Declarations
    from isolate.environment.workshop import Workshop
    from isolate.interpreters.model import Interpreter
    from isolate.pip.report import Reported
    from isolate.steps.request import Moves

Learn: TypeAlias = "Callable[[Declarations, Known, Workshop], bool]"
"""Adds to what is known about pins, and says whether it has."""


def new_lock(  # noqa: PLR0913, PLR0917 - what is asked, and what may be used to answer
    declarations: Declarations,
    old: Pylock | None,
    moves: Moves,
    workshop: Workshop,
    trees: Mapping[str, str],
    learn: Learn | None,
) -> Pylock:
    """Return a lock for *declarations* that keeps what it can of the *old* one; raises what pip's failure is called.

    *trees* has a digest of the metadata of each source tree, by its absolute path.
    """
    interpreter = workshop.interpreter
    staying = {} if old is None else kept(old, declarations, moves)
    known = _known(declarations, workshop)
    ways = () if moves.upgrade else _shortcuts(declarations, staying, moves, known, workshop, learn)
    locks = (lock_from(one, declarations, interpreter, trees=trees) for one in ways if one is not None)
    lock = next((one for one in locks if not staleness(one, declarations, interpreter, trees=trees)), None)
    if lock is not None:
        return lock
    workshop.progress.working("resolving")
    reported = resolve(declarations, staying, workshop)
    known.remember(reported)
    return lock_from(reported, declarations, interpreter, trees=trees)


def _shortcuts(  # noqa: PLR0913, PLR0917 - what `new_lock` has at hand
    declarations: Declarations,
    staying: Mapping[str, str],
    moves: Moves,
    known: Known,
    workshop: Workshop,
    learn: Learn | None,
) -> Iterator[Sequence[Reported] | None]:
    """Yield what pip would report, found in ways that cost less than to resolve everything, the cheapest first."""
    markers = workshop.interpreter.markers
    yield recall(declarations, markers, known.get)
    if learn is not None and learn(declarations, known, workshop):
        yield recall(declarations, markers, known.get)
    yield resolve_moved(declarations, staying, moves, known, workshop)


def _known(declarations: Declarations, workshop: Workshop) -> Known:
    """Return what is known for the interpreter of *workshop*, from where its pip looks."""
    interpreter = workshop.interpreter
    digest = circumstances(workshop.application, declarations, interpreter, workshop.environ)
    return Known(store=workshop.store, kind=interpreter.kind, digest=digest)


def circumstances(
    application: Application, declarations: Declarations, interpreter: Interpreter, environ: Mapping[str, str]
) -> str:
    """Return a digest (hex) of what decides which artifacts the pip of *application* finds."""
    settings = settings_digest(environ, application.venv)
    facts = (settings, interpreter.version, interpreter.kind, *declarations.index_options)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
