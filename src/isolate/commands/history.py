"""`isolate history`: what each sync changed, and when. `isolate rollback`: back to what one of them left."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from isolate.declarations.declared import Declarations
from isolate.declarations.project_file import read_project_file
from isolate.declarations.read import read_declarations
from isolate.declarations.settings import Settings
from isolate.environment import staging
from isolate.environment.history import Generation, read_history
from isolate.environment.ownership import reject_symlink
from isolate.environment.records import read_state
from isolate.environment.stamp.write import remove_stamp
from isolate.errors import IsolateError
from isolate.formatting import count
from isolate.interpreters.interpreter import Choice, Interpreter
from isolate.interpreters.query import fingerprint_of
from isolate.lock.diff import diff
from isolate.lock.pylock_file import parse_lock, read_lock
from isolate.operations.apply import apply
from isolate.operations.builder import builder_for
from isolate.operations.current_state import targets_for
from isolate.operations.inspect import inspect_existing
from isolate.operations.recover import recover
from isolate.operations.retry_damaged import retry_damaged
from isolate.operations.transaction import Transaction, outcome
from isolate.outcome import Outcome
from isolate.request import LockPolicy, Request
from isolate.resolution.decide import LockDecision

if TYPE_CHECKING:
    from isolate.application import Application
    from isolate.session import Session


def history(application: Application, session: Session) -> Outcome:
    """Return what is remembered of the environment of *application*, the latest first."""
    recover(application, session)
    generations = read_history(application.venv)
    lines = [line for one in generations for line in _lines(one)] or ["nothing is remembered yet"]
    facts = [
        {
            "number": one.number,
            "time": one.time,
            "command": one.command,
            "changes": list(one.changes),
            "packages": len(one.locked),
            "python": one.interpreter["version"],
        }
        for one in generations
    ]
    return Outcome(command="history", lines=tuple(lines), facts={"generations": facts})


MOST_CHANGES = 12


def _lines(one: Generation) -> list[str]:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.time))
    packages = count(len(one.locked), "package")
    heading = f"{one.number}  {when}  {one.command}  ({packages}, Python {one.interpreter['version']})"
    more = len(one.changes) - MOST_CHANGES
    return [
        heading,
        *(f"   {change}" for change in one.changes[:MOST_CHANGES]),
        *([f"   … {more} more"] if more > 0 else []),
    ]


def rollback(application: Application, number: int | None, session: Session, *, lock: bool = False) -> Outcome:
    """Make the environment what generation *number* was (default: the one before), from the store.

    The lock in the tree is only touched with *lock*. Raises `IsolateError` where there is no such generation, or its
    Python is gone.
    """
    started = session.clock()
    with application.exclusive(session.waiting_for(application)), session.store.shared_access(session.waiting_for_gc):
        reject_symlink(application.venv)
        staging.recover(application)
        generation = _chosen(application, number)
        proposal = retry_damaged(lambda: _roll_back(application, generation, session, lock=lock), session)
        remove_stamp(application.venv)
    done = outcome(proposal, session.clock() - started)
    differences = _differences(application, proposal.decision)
    facts = {**done.facts, "generation": generation.number, "lock_differs": list(differences)}
    return Outcome(command="rollback", lines=(*done.lines, *differences), facts=facts)


def _roll_back(application: Application, generation: Generation, session: Session, *, lock: bool) -> Transaction:
    proposal = _proposal(application, generation, session, lock=lock)
    with builder_for(application, proposal.declarations, proposal.situation, proposal.request, session) as builder:
        apply(proposal, builder, session)
    return proposal


def _chosen(application: Application, number: int | None) -> Generation:
    generations = read_history(application.venv)
    known = ", ".join(str(one.number) for one in generations)
    if number is None:
        if len(generations) > 1:
            return generations[1]
        raise IsolateError(
            f"{application.name} has nothing to go back to",
            facts=(f"remembered: {count(len(generations), 'sync')}",),
            hint="there will be, after a second `isolate sync` that changes the environment",
        )
    for one in generations:
        if one.number == number:
            return one
    raise IsolateError(
        f"{application.name} remembers no {number}", facts=(f"remembered: {known or 'none'}",), hint="name one of these"
    )


def _proposal(application: Application, generation: Generation, session: Session, *, lock: bool) -> Transaction:
    interpreter = Interpreter.from_dict(generation.interpreter)
    state = read_state(application.venv)
    if fingerprint_of(interpreter.executable) != interpreter.fingerprint or state is None:
        raise IsolateError(
            f"generation {generation.number} ran on a Python that is gone or was replaced",
            facts=(f"Python {interpreter.version}: {interpreter.executable}",),
            hint="`isolate sync` makes the environment anew",
        )
    choice = Choice(interpreter=interpreter, reason=f"generation {generation.number}")
    situation = inspect_existing(application, state, Interpreter.from_dict(state.interpreter), choice, thorough=False)
    targets = targets_for(generation.locked, interpreter)
    if not any(target.name == "pip" for target in targets) and not situation.rebuild:
        targets.append(situation.own_pip())
    plan = situation.plan(targets, session.store, inexact=state.inexact)
    declarations = _declarations(application, for_pip=plan.asks_pip)
    text = generation.lock.encode()
    return Transaction(
        application=application,
        declarations=declarations,
        request=Request(lock_policy=LockPolicy(validate=False), inexact=state.inexact),
        situation=situation,
        selection=generation.selection,
        decision=LockDecision(lock=parse_lock(text, application.lock_file), text=text, in_tree=lock, is_new=lock),
        locked=generation.locked,
        plan=plan,
        command=f"rollback to {generation.number}",
    )


def _declarations(application: Application, *, for_pip: bool) -> Declarations:
    """Return what is declared; where that cannot be read, the settings alone, for that may be why somebody goes back.

    Raises what is wrong with it *for_pip*, which must be told from which indexes it may fetch.
    """
    try:
        return read_declarations(application.root)
    except IsolateError:
        if for_pip:
            raise
    settings = Settings()
    with contextlib.suppress(IsolateError, OSError):
        settings = read_project_file(application.root / "pyproject.toml").settings
    return Declarations(root=application.root, settings=settings)


def _differences(application: Application, decision: LockDecision) -> tuple[str, ...]:
    """Return how the lock in the tree and the environment now differ."""
    try:
        tree = read_lock(application.lock_file)
    except IsolateError as error:
        return (f"pylock.toml was not touched, and cannot be read: {error.problem}",)
    if tree is None:
        return ("the declarations were not touched: the next `isolate sync` follows them again",)
    changes = diff(decision.lock, tree)
    if not changes:
        return ()
    return ("pylock.toml was not touched; against the environment it has", *(f"  {change}" for change in changes))
