"""Apply a transaction: fill the store, write the lock, create or update the environment, write the stamp."""

from __future__ import annotations

import contextlib
import logging
import os
from functools import partial
from typing import TYPE_CHECKING

from isolate.bounded_read import read_bounded
from isolate.environment import records, staging
from isolate.environment.create import create
from isolate.environment.desired_state import DesiredState
from isolate.environment.history import MAX_GENERATIONS, Generation
from isolate.environment.installed import metadata_files
from isolate.environment.shared_files import MustReinstall
from isolate.environment.stamp.inputs import stamp_lines_if_unchanged
from isolate.environment.stamp.write import remove_stamp, write_stamp
from isolate.environment.update import update, update_state
from isolate.errors import ConcurrentChange, NotInStore
from isolate.formatting import count
from isolate.lock.precedence import precedence_of
from isolate.operations.complete import ensure_complete
from isolate.operations.current_state import FIRST
from isolate.resolution.context import lock_cache_key
from isolate.store.environments import register_environment
from isolate.trace import timed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from isolate.environment.builder import EnvironmentBuilder
    from isolate.operations.transaction import Transaction
    from isolate.session import Session
    from isolate.store.entry import Entry


log = logging.getLogger(__name__)


def apply(transaction: Transaction, builder: EnvironmentBuilder, session: Session) -> None:
    """Do what *transaction* says.

    A failure before the environment is switched leaves everything as it was.
    """
    _fetch(transaction, builder, session)
    if transaction.is_empty:
        write_lock(transaction, session.progress.say)
        _record_request(transaction)
        return
    while True:
        try:
            _change(transaction, builder, session)
        except MustReinstall as error:
            transaction = _reinstalling(transaction, error.names, builder)
            _fetch(transaction, builder, session)
        else:
            break
    verify_installed(transaction)


def _fetch(transaction: Transaction, builder: EnvironmentBuilder, session: Session) -> None:
    if transaction.plan.fetch or builder.linker.options.bytecode:
        from isolate.operations.fetch import fetch

        with timed(log, f"store: fetching {count(len(transaction.plan.fetch), 'package')}"):
            fetch(transaction, builder, session)
        ensure_complete(transaction, session)


def _reinstalling(transaction: Transaction, names: Iterable[str], builder: EnvironmentBuilder) -> Transaction:
    """Return *transaction*, in which the distributions *names*, which stay, are installed again."""
    plan, current = transaction.plan, transaction.current
    targets = [current.target_for(name, plan.kept) for name in names]
    if lost := [target.name for target in targets if target.is_local and not target.locked.table]:
        raise NotInStore(
            f"{', '.join(lost)} would have to be built again, and nothing declares it",
            facts=("another package that is removed or replaced has brought files that it has, too",),
            hint="declare it, or run without --inexact",
        )
    log.info("plan: restore files of %s", ", ".join(target.name for target in targets))
    return transaction._replace(plan=plan.reinstalling(targets, builder.store.has))


def _change(transaction: Transaction, builder: EnvironmentBuilder, session: Session) -> None:
    """Create or update the environment; raises `MustReinstall` before anything has changed."""
    register_environment(builder.store, transaction.application.venv)
    commit = partial(_before_commit, transaction, session.progress.say)
    rebuild = transaction.current.rebuild
    step = f"environment: creating it, because {rebuild.reason}" if rebuild else "environment: updating it"
    with timed(log, step), _built(transaction, builder) as built:
        desired = _desired_state(transaction, built, session, builder)
        if rebuild or transaction.current.state is None:
            create(builder, desired, transaction.current.state, before_commit=commit)
        else:
            update(builder, desired, transaction.current.state, before_commit=commit)


def _record_request(transaction: Transaction) -> None:
    """Record the request of a sync that changes nothing else: `run` and `check` follow the latest request."""
    if (before := transaction.current.state) is not None:
        request = transaction.request
        state = before._replace(selection=transaction.selection, inexact=request.inexact, named=request.named)
        if state != before:
            update_state(transaction.application.venv, state)


def _before_commit(transaction: Transaction, say: Callable[[str], None]) -> None:
    """Remove the stamp and write the lock: after every check has passed, and before the environment changes."""
    remove_stamp(transaction.application.venv)
    write_lock(transaction, say)


def verify_installed(transaction: Transaction) -> None:
    """Check after the switch that every installed distribution is there; raise `ConcurrentChange` if not."""
    venv = transaction.application.venv
    state = records.read_state(venv)
    for target in transaction.plan.install:
        dist = state.installed.get(target.name) if state else None
        if dist is None or not all(os.path.lexists(venv / path) for path in metadata_files(dist)):
            raise ConcurrentChange(
                f"{target.name} is missing from {venv} after the update",
                facts=("another program may have modified the environment",),
                hint="run `isolate sync --verify` when it is done",
            )


def _built(
    transaction: Transaction, builder: EnvironmentBuilder
) -> contextlib.AbstractContextManager[Mapping[str, Entry]]:
    """Return a context manager that yields, by name, what pip builds for this application alone."""
    if not any(target.is_local for target in transaction.plan.install):
        return contextlib.nullcontext({})
    from isolate.operations.build_local import built_locally

    return built_locally(transaction, builder)


def write_lock(transaction: Transaction, say: Callable[[str], None]) -> None:
    """Write `pylock.toml` if the lock is new and belongs into the tree; *say* as in `staging.begin`."""
    path, decision = transaction.application.lock_file, transaction.decision
    if decision.in_tree and decision.is_new and (not path.exists() or read_bounded(path) != decision.content):
        staging.write_file(transaction.application, path, decision.content, say)


def _desired_state(
    transaction: Transaction, built: Mapping[str, Entry], session: Session, builder: EnvironmentBuilder
) -> DesiredState:
    venv, base = transaction.application.venv, builder.context.base_state
    numbers = records.generation_numbers(venv)
    history = [records.generation_path(number) for number in numbers]
    kept, expired = history[: MAX_GENERATIONS - 1], history[MAX_GENERATIONS - 1 :]
    generation = new_generation(transaction, session.clock())
    lock = records.signed_record(venv, records.LOCK, transaction.decision.content)
    new_records = {records.LOCK: lock, generation.path: generation.to_record(venv)}
    if transaction.current.rebuild:
        new_records |= {path: (venv / path).read_bytes() for path in kept}
    return DesiredState(
        plan=transaction.plan,
        state=records.State(
            venv=str(venv),
            interpreter=transaction.current.interpreter.to_dict(),
            selection=transaction.selection,
            inexact=transaction.request.inexact,
            bytecode=builder.linker.options.bytecode,
            link_mode=base.link_mode if base else builder.linker.options.mode,  # kept files stay linked as they were
            named=transaction.request.named,
            lock_key="" if transaction.decision.in_tree else _lock_key(transaction, session),
        ),
        built=built,
        unmanaged=transaction.current.unmanaged,
        new_records=new_records,
        expired_records=expired,
        damaged_files=[damage.path for damage in transaction.current.damaged_files],
        mtimes=transaction.current.mtimes,
        precedence=precedence_of(transaction.decision.lock),
    )


def _lock_key(transaction: Transaction, session: Session) -> str:
    interpreter = transaction.current.interpreter
    return lock_cache_key(transaction.application, transaction.declarations, interpreter, session.environ)


def new_generation(transaction: Transaction, now: float) -> Generation:
    """Return the record of what *transaction* changes, and of what the environment holds *now*, after it."""
    numbers, rebuild = records.generation_numbers(transaction.application.venv), transaction.current.rebuild
    reason = (f"recreated: {rebuild.reason}",) if rebuild not in (None, FIRST) else ()
    return Generation(
        number=max(numbers, default=0) + 1,
        time=now,
        command=transaction.command,
        changes=(*reason, *(change.line for change in transaction.shown)),
        selection=transaction.selection,
        interpreter=transaction.current.interpreter.to_dict(),
        locked=transaction.locked,
        lock=transaction.decision.content.decode(),
        named=transaction.request.named,
    )


def remember(transaction: Transaction, session: Session, before: Mapping[str, str]) -> None:
    """Write the stamp, so that the next sync has nothing to do, and keep the lock for a lost environment.

    *before* has the inputs of the sync, with their stamp lines from before they were read.
    """
    application, declarations, decision = transaction.application, transaction.declarations, transaction.decision
    interpreter = transaction.current.interpreter
    if not decision.in_tree:
        key = _lock_key(transaction, session)
        with contextlib.suppress(OSError):  # the sync is complete without it, and the environment has the lock too
            session.store.cache_lock(key, decision.content, replace=decision.is_new)
    if transaction.request.is_repeated:
        message = f"nothing to do: {count(transaction.packages, 'package')}, Python {interpreter.version}"
        if (named := declarations.named.line) is not None:
            message = f"{message} ({named})"
        lock = decision.content if decision.in_tree else None
        inputs = partial(stamp_lines_if_unchanged, application, declarations, interpreter, lock, before)
        write_stamp(application.venv, message, inputs, transaction.current.mtimes)
    else:
        remove_stamp(application.venv)
