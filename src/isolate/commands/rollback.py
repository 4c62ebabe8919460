"""`isolate rollback`: restore the environment to an earlier sync, from the store."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from isolate.declarations.declared import Declarations
from isolate.declarations.project_file import read_project_file
from isolate.declarations.read import read_declarations
from isolate.declarations.settings import Settings
from isolate.environment import staging
from isolate.environment.history import Generation, read_history
from isolate.environment.ownership import ensure_own
from isolate.environment.records import State, read_state
from isolate.environment.stamp.write import remove_stamp
from isolate.errors import IsolateError, NoEnvironment, NoInterpreter, NoSuchSync
from isolate.formatting import count
from isolate.interpreters.interpreter import Choice, Interpreter
from isolate.interpreters.query import fingerprint_of
from isolate.lock.diff import diff
from isolate.lock.precedence import precedence_of
from isolate.lock.pylock_file import parse_lock, read_lock
from isolate.operations.apply import apply
from isolate.operations.builder import builder_for
from isolate.operations.current_state import targets_for
from isolate.operations.inspect import InspectOptions, inspect_existing
from isolate.operations.retry_damaged import retry_damaged
from isolate.operations.transaction import Transaction, outcome
from isolate.outcome import Outcome
from isolate.request import LockPolicy, Request
from isolate.resolution.candidates import LockDecision
from isolate.resolution.context import entry_keys

if TYPE_CHECKING:
    from isolate.application import Application
    from isolate.session import Session


def rollback(application: Application, number: int | None, session: Session, *, lock: bool = False) -> Outcome:
    """Restore the environment that sync *number* left (default: the one before the latest), from the store.

    `pylock.toml` is only written with *lock*. Raises `IsolateError` if no such sync is recorded, or its Python was
    removed.
    """
    started = session.clock()
    with application.exclusive(session.waiting_for(application)), session.store.shared_access(session.waiting_for_gc):
        ensure_own(application)
        staging.recover(application)
        generation = _chosen(application, number)
        transaction = retry_damaged(lambda: _roll_back(application, generation, session, lock=lock), session)
        remove_stamp(application.venv)
    done = outcome(transaction, session.clock() - started)
    differences = _lock_differences(application, transaction.decision)
    facts = {**done.facts, "generation": generation.number, "lock_differs": list(differences)}
    return Outcome(command="rollback", lines=(*done.lines, *differences), facts=facts)


def _roll_back(application: Application, generation: Generation, session: Session, *, lock: bool) -> Transaction:
    transaction = _plan_transaction(application, generation, session, lock=lock)
    declarations, current = transaction.declarations, transaction.current
    with builder_for(application, declarations, current, transaction.request, session) as builder:
        apply(transaction, builder, session)
    return transaction


def _chosen(application: Application, number: int | None) -> Generation:
    generations = read_history(application.venv)
    if number is None:
        if len(generations) > 1:
            return generations[1]
        raise NoSuchSync(
            f"nothing to roll back: {application.name} has {count(len(generations), 'recorded sync')}",
            hint="run `isolate history` to see what is recorded",
        )
    for generation in generations:
        if generation.number == number:
            return generation
    available = ", ".join(str(generation.number) for generation in generations) or "none"
    raise NoSuchSync(
        f"no sync {number} in the history of {application.name}",
        facts=(f"available: {available}",),
        hint="run `isolate history` to see what each of them changed",
    )


def _plan_transaction(application: Application, generation: Generation, session: Session, *, lock: bool) -> Transaction:
    """Return what has to be done for the environment to hold what it held after *generation*."""
    interpreter = Interpreter.from_dict(generation.interpreter)
    state = _state(application, generation, interpreter)
    choice = Choice(interpreter=interpreter, reason=f"sync {generation.number}")
    content = generation.lock.encode()
    pylock = parse_lock(content, application.lock_file)
    current = inspect_existing(application, state, choice, InspectOptions(check_all_files=False))
    current = current.with_owners(precedence_of(pylock), inexact=state.inexact)
    declarations = _declarations(application, generation, required=False)
    targets = targets_for(generation.locked, entry_keys(application, declarations, interpreter, session.environ))
    if not any(target.name == "pip" for target in targets) and not current.rebuild:
        targets.append(current.own_pip())
    plan = current.plan(targets, session.store, inexact=state.inexact)
    return Transaction(
        application=application,
        declarations=_declarations(application, generation, required=plan.asks_pip),
        request=Request(named=generation.named, lock_policy=LockPolicy(validate=False), inexact=state.inexact),
        current=current,
        selection=generation.selection,
        decision=LockDecision(lock=pylock, content=content, in_tree=lock, is_new=lock),
        locked=generation.locked,
        plan=plan,
        command=f"rollback to {generation.number}",
    )


def _state(application: Application, generation: Generation, interpreter: Interpreter) -> State:
    """Return the record of the environment; raise `IsolateError` if it is unreadable, or the Python was replaced."""
    state = read_state(application.venv)
    if state is None:
        raise NoEnvironment(
            f"{application.venv} is missing, or its record cannot be read", hint="run `isolate sync` to recreate it"
        )
    if fingerprint_of(interpreter.executable) != interpreter.fingerprint:
        raise NoInterpreter(
            f"the Python used by sync {generation.number} was removed or replaced",
            facts=(f"Python {interpreter.version}: {interpreter.executable}",),
            hint="run `isolate sync` to recreate the environment",
        )
    return state


def _declarations(application: Application, generation: Generation, *, required: bool) -> Declarations:
    """Return the declarations; if they cannot be read, the settings alone: that may be why a user rolls back.

    Raises the error if the declarations are *required*, because pip must know from which indexes it may fetch.
    """
    try:
        return read_declarations(application.root, named=generation.named)
    except IsolateError:
        if required:
            raise
    settings = Settings()
    with contextlib.suppress(IsolateError, OSError):
        settings = read_project_file(application.root / "pyproject.toml").settings
    return Declarations(root=application.root, settings=settings)


def _lock_differences(application: Application, decision: LockDecision) -> tuple[str, ...]:
    """Return how the lock in the tree differs from what the environment holds now."""
    try:
        in_tree = read_lock(application.lock_file)
    except IsolateError as error:
        return (f"pylock.toml was not changed, and cannot be read: {error.problem}",)
    if in_tree is None:
        return ("the declarations were not changed: the next `isolate sync` follows them again",)
    changes = diff(decision.lock, in_tree)
    if not changes:
        return ()
    return ("pylock.toml was not changed; compared with the environment it has:", *(f"  {line}" for line in changes))
