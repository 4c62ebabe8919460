"""Which lock holds for an application: the one that is there if it is fresh, else a new one by pip."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isolate.environment.records import LOCK
from isolate.errors import IsolateError, StaleLock
from isolate.lock.decide import environment_marker, is_closed, lock_from
from isolate.lock.freshness import staleness
from isolate.lock.pylock_file import lock_text, parse_lock, read_lock
from isolate.lock.recall import recall
from isolate.lock.trees import metadata_digests
from isolate.pip.command import resolve_argv
from isolate.pip.redaction import redact
from isolate.pip.report import read_report
from isolate.pip.surroundings import settings_digest
from isolate.store.known import Known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.pylock import Pylock

    from isolate.application import Application
    from isolate.commands.request import Moves
    from isolate.declarations.model import Declarations
    from isolate.environment.workshop import Workshop
    from isolate.interpreters.model import Interpreter
    from isolate.pip.report import Report
    from isolate.store.layout import Store


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The lock that holds.

    `in_tree`: it belongs into the application's directory. `is_new`: it is not yet written down, for these `reasons`.
    """

    lock: Pylock
    text: bytes
    in_tree: bool
    is_new: bool = False
    reasons: tuple[str, ...] = ()


def decide(  # noqa: PLR0913 - what is asked, and what may be used to answer
    application: Application,
    declarations: Declarations,
    interpreter: Interpreter,
    moves: Moves,
    workshop: Workshop,
    *,
    learn: Callable[[Declarations, Known, Workshop], bool] | None = None,
) -> Decision:
    """Return the lock for *application*; pip in *workshop* is asked only if there is none that is fresh.

    *learn* may add to what is known about pins, and says whether it has.
    Raises `StaleLock` where it may not be asked, and whatever pip's failure is explained as.
    """
    trees = metadata_digests(source_trees(declarations))
    best: Decision | None = None
    why: tuple[str, ...] = ("there is no lock",)
    for one in find_locks(application, declarations, interpreter, workshop.store):
        if not moves.examined or not declarations.files:
            return one
        stale = staleness(one.lock, declarations, interpreter, trees=trees)
        if not stale and not (moves.upgrade or moves.packages):
            return one
        best, why = (one, stale) if best is None else (best, why)
    if not moves.allowed or not moves.examined:
        raise StaleLock(
            f"the lock of {application.name} does not meet its declarations", facts=why, hint="run `isolate lock`"
        )
    known = _known(declarations, workshop)
    lock = None if moves.upgrade else _recalled(declarations, interpreter, known, trees=trees)
    if lock is None and not moves.upgrade and learn is not None and learn(declarations, known, workshop):
        lock = _recalled(declarations, interpreter, known, trees=trees)
    if lock is None:
        workshop.progress.working("resolving")
        report = resolve(declarations, _kept(best.lock if best else None, declarations, moves), workshop)
        known.remember(report.items)
        lock = lock_from(report, declarations, interpreter, trees=trees)
    in_tree = application.lock_file.exists() or not is_closed(lock, declarations)
    return Decision(lock=lock, text=lock_text(lock), in_tree=in_tree, is_new=True, reasons=why)


def _recalled(
    declarations: Declarations, interpreter: Interpreter, known: Known, *, trees: Mapping[str, str]
) -> Pylock | None:
    """Return the lock for pins that are closed and of which the store has everything; None for all others."""
    report = recall(declarations, interpreter.markers, known.get)
    lock = None if report is None else lock_from(report, declarations, interpreter, trees=trees)
    return None if lock is None or staleness(lock, declarations, interpreter, trees=trees) else lock


def _known(declarations: Declarations, workshop: Workshop) -> Known:
    """Return what is known for the interpreter of *workshop*, from where its pip looks."""
    settings = settings_digest(workshop.environ, workshop.application.venv)
    circumstances = (settings, workshop.interpreter.version, workshop.interpreter.kind, *declarations.index_options)
    digest = hashlib.sha256(repr(circumstances).encode()).hexdigest()[:16]
    return Known(store=workshop.store, kind=workshop.interpreter.kind, digest=digest)


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
    for file in declarations.files:
        digest.update(f"\0{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def source_trees(declarations: Declarations) -> list[str]:
    """Return the directories whose metadata the lock depends on, beyond the declarations themselves."""
    trees = [str(one.path) for one in declarations.requirements if one.path is not None and one.path.is_dir()]
    if asks_for_project(declarations):
        trees.append(str(declarations.root))
    return trees


def asks_for_project(declarations: Declarations) -> bool:
    """Say whether only building the application tells what it depends on (`dynamic = ["dependencies"]`)."""
    project = declarations.project
    return project is not None and project.is_package and "dependencies" in project.dynamic


def _kept(found: Pylock | None, declarations: Declarations, moves: Moves) -> list[str]:
    """Return the versions that are to stay, as lines of a constraints file: whatever no declaration contradicts."""
    if found is None or moves.upgrade:
        return []
    asked = [*declarations.requirements, *declarations.constraints]
    return [
        f"{package.name}=={package.version}"
        for package in found.packages
        if package.version is not None
        and package.name not in moves.packages
        and not package.is_direct
        and all(
            one.requirement is None
            or one.name != package.name
            or one.requirement.specifier.contains(package.version, prereleases=True)
            for one in asked
        )
    ]


def resolve(declarations: Declarations, kept: Sequence[str], workshop: Workshop) -> Report:
    """Let pip resolve *declarations* with the versions in *kept*; if these cannot all stay, without them."""
    with workshop.store.scratch() as scratch:
        requirements = [*declarations.requirements_files] or [_derived(declarations, scratch)]
        for lines in (kept, ()) if kept else ((),):
            constraints = scratch / "constraints.txt"
            constraints.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            report = scratch / "report.json"
            pip = workshop.pip()
            every = [constraints, *_constraints(declarations)]
            argv = resolve_argv(pip.python, requirements=requirements, constraints=every, report=report)
            finished = pip.run(argv, cwd=declarations.root, scratch=scratch)
            if not finished.status:
                return read_report(report.read_text(encoding="utf-8"))
        from isolate.pip.explanation import explain  # noqa: PLC0415 - only a failure needs it

        raise explain(redact(finished.output + finished.errors), declared=declarations.requirements)


def _constraints(declarations: Declarations) -> list[Path]:
    return [declarations.root / name for name in declarations.settings.constraints]


def _derived(declarations: Declarations, scratch: Path) -> Path:
    """Write what `pyproject.toml` asks for as a requirements file, word for word."""
    lines = [one.text for one in declarations.requirements]
    if asks_for_project(declarations):
        lines.append(f"-e {declarations.root}")
    path = scratch / "requirements.txt"
    path.write_text("".join(f"{line}\n" for line in dict.fromkeys(lines)), encoding="utf-8")
    return path
