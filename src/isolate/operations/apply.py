"""A proposal is carried out: the store is filled, the lock written, the environment made or changed."""

from __future__ import annotations

import contextlib
import os
from functools import partial
from typing import TYPE_CHECKING

from isolate.environment import records, staging
from isolate.environment.create import create
from isolate.environment.desired_state import DesiredState
from isolate.environment.history import Generation, next_number, record_paths
from isolate.environment.stamp.inputs import stamp_lines_if_unchanged
from isolate.environment.stamp.write import remove_stamp, write_stamp
from isolate.environment.update import update, update_state
from isolate.errors import IsolateError
from isolate.formatting import count
from isolate.operations.current_state import FIRST
from isolate.resolution.decide import lock_cache_key
from isolate.store.environments import register_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from isolate.environment.builder import EnvironmentBuilder
    from isolate.operations.transaction import Transaction
    from isolate.session import Session
    from isolate.store.store import Entry


def apply(proposal: Transaction, builder: EnvironmentBuilder, session: Session) -> None:
    """Do what *proposal* says.

    Whatever fails before the switch leaves everything as it was.
    """
    if proposal.plan.fetch or builder.linker.options.bytecode:
        from isolate.operations.fetch import fetch

        fetch(proposal, builder, session)
    if proposal.is_empty:
        write_lock(proposal)
        _record_request(proposal)
        return
    register_environment(builder.store, proposal.application.venv)
    with _built(proposal, builder) as built:
        desired = _desired_state(proposal, built, session, builder)
        if proposal.situation.rebuild or proposal.situation.state is None:
            create(builder, desired, proposal.situation.state, before_commit=partial(_before_commit, proposal))
        else:
            update(builder, desired, proposal.situation.state, before_commit=partial(_before_commit, proposal))
    verify_installed(proposal)


def _record_request(proposal: Transaction) -> None:
    """See to it that `run` and `check` know what an environment was asked for last, where nothing else changes."""
    if (before := proposal.situation.state) is not None:
        state = before._replace(selection=proposal.selection, inexact=proposal.request.inexact)
        if state != before:
            update_state(proposal.application.venv, state)


def _before_commit(proposal: Transaction) -> None:
    """Do what must be done before the switch and not sooner: as long as anything can be refused, nothing changes."""
    remove_stamp(proposal.application.venv)
    write_lock(proposal)


def verify_installed(proposal: Transaction) -> None:
    """Look, after the switch, whether what was to arrive is where it belongs."""
    venv = proposal.application.venv
    state = records.read_state(venv)
    for target in proposal.plan.install:
        one = state.installed.get(target.name) if state else None
        if one is None or not all(os.path.lexists(venv / path) for path in records.metadata_files(one)):
            raise IsolateError(
                f"{target.name} did not arrive in {venv}",
                hint="another program works in the environment; when it has finished, run `isolate sync --verify`",
            )


@contextlib.contextmanager
def _built(proposal: Transaction, builder: EnvironmentBuilder) -> Iterator[Mapping[str, Entry]]:
    """Yield what pip makes of the source trees that are to arrive; gone afterwards."""
    trees = [target for target in proposal.plan.install if target.is_local]
    if not trees:
        yield {}
        return
    from isolate.environment.local_build import build_source_tree

    with contextlib.ExitStack() as stack:
        yield {
            target.name: build_source_tree(
                target, builder.pips.ensure_pip(), stack.enter_context(builder.store.scratch())
            )
            for target in trees
        }


def write_lock(proposal: Transaction) -> None:
    """Write `pylock.toml` if it is new and belongs into the tree."""
    path, decision = proposal.application.lock_file, proposal.decision
    if decision.in_tree and decision.is_new and (not path.exists() or path.read_bytes() != decision.text):
        staging.write_file(proposal.application, path, decision.text)


def _desired_state(
    proposal: Transaction, built: Mapping[str, Entry], session: Session, builder: EnvironmentBuilder
) -> DesiredState:
    venv = proposal.application.venv
    base = builder.context.base_state
    history = record_paths(venv)
    staying, forgotten = history[: records.HISTORY_KEPT - 1], history[records.HISTORY_KEPT - 1 :]
    generation = _generation(proposal, next_number(history), session.clock())
    remembered = {records.LOCK: proposal.decision.text, generation.path: generation.to_json()}
    if proposal.situation.rebuild:
        remembered |= {path: (venv / path).read_bytes() for path in staying}
    return DesiredState(
        plan=proposal.plan,
        state=records.State(
            venv=str(venv),
            interpreter=proposal.situation.interpreter.to_dict(),
            selection=proposal.selection,
            inexact=proposal.request.inexact,
            bytecode=builder.linker.options.bytecode,
            link_mode=base.link_mode if base else builder.linker.options.mode,  # kept files stay linked as they were
        ),
        built=built,
        unmanaged=proposal.situation.foreign,
        new_records=remembered,
        expired_records=forgotten,
        damaged_files=[damage.path for damage in proposal.situation.damages],
        mtimes=proposal.situation.mtimes,
    )


def _generation(proposal: Transaction, number: int, now: float) -> Generation:
    changes = tuple(change.line for change in proposal.shown)
    rebuild = proposal.situation.rebuild
    reason = (f"made anew: {rebuild.words}",) if rebuild not in (None, FIRST) else ()
    return Generation(
        number=number,
        time=now,
        command=proposal.command,
        changes=(*reason, *changes),
        selection=proposal.selection,
        interpreter=proposal.situation.interpreter.to_dict(),
        locked=proposal.locked,
        lock=proposal.decision.text.decode(),
    )


def remember(proposal: Transaction, session: Session, before: Mapping[str, str]) -> None:
    """Remember that there is nothing to do until something changes, and the lock in case the environment goes.

    *before* has the inputs of the sync as they stood before it read them.
    """
    application, declarations, decision = proposal.application, proposal.declarations, proposal.decision
    interpreter = proposal.situation.interpreter
    if not decision.in_tree:
        digest = lock_cache_key(declarations, interpreter)
        with contextlib.suppress(OSError):  # the environment is made, and holds the lock itself
            session.store.cache_lock(digest, decision.text, replace=decision.is_new)
    if proposal.request.is_plain:
        answer = f"nothing to do: {count(proposal.packages, 'package')}, Python {interpreter.version}"
        lock = decision.text if decision.in_tree else None
        inputs = partial(stamp_lines_if_unchanged, application, declarations, interpreter, lock, before)
        write_stamp(application.venv, answer, inputs, proposal.situation.mtimes)
    else:
        remove_stamp(application.venv)
