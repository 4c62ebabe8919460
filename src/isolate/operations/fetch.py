"""Fetch what is about to be installed into the store, together with what other applications of the command lack."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from isolate.batch_fetch import claiming
from isolate.errors import NotInStore
from isolate.formatting import count
from isolate.lock.artifact import is_identified
from isolate.lock.select import select
from isolate.operations.current_state import targets_for
from isolate.operations.identify import with_known_hashes
from isolate.operations.inspect import InspectOptions, inspect
from isolate.request import selected
from isolate.resolution.candidates import valid_lock
from isolate.resolution.context import index_fingerprint
from isolate.resolution.in_force import declarations_in_force
from isolate.resolution.project_metadata import lock_context
from isolate.store.bytecode import compile_missing
from isolate.store.fill import fill, lock_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.application import Application
    from isolate.environment.builder import EnvironmentBuilder
    from isolate.locked import LockedDistribution
    from isolate.operations.transaction import Transaction
    from isolate.pip.runner import Pip
    from isolate.request import Request
    from isolate.session import Session


def fetch(transaction: Transaction, builder: EnvironmentBuilder, session: Session) -> None:
    """Ensure that the store has everything that *transaction* installs.

    Raises `NotInStore` if something is missing and `--offline` prevents fetching it.
    """
    missing = {target.key: target.locked for target in transaction.plan.fetch}
    if missing and transaction.request.offline:
        raise NotInStore(
            "missing from the store, and --offline prevents fetching:",
            facts=(", ".join(f"{dist.name} {dist.version or ''}".strip() for dist in missing.values()),),
            hint="run without --offline",
        )
    if unknown := [dist.name for dist in missing.values() if not is_identified(dist)]:
        raise NotInStore(
            "missing from the store, and not to be fetched again, because no sha256 of them is known:",
            facts=(", ".join(unknown),),
            hint="run `isolate sync`",
        )
    if missing:
        _fetch_missing(missing, transaction, builder.pips.ensure_pip(), session)
    if builder.linker.options.bytecode:
        keys = [target.key for target in transaction.plan.install if not target.is_local]
        compile_missing(builder.store, keys, builder.pips.ensure_pip, on_wait=session.waiting_for_store)


def _fetch_missing(
    missing: Mapping[str, LockedDistribution], transaction: Transaction, pip: Pip, session: Session
) -> None:
    """Let *pip* fetch what is *missing* (by key), unless another process has done so while this one waited."""
    with session.fill_access(lock_of(locked, pip.compat_tag) for locked in missing.values()) as held:

        def fill_store(lacking: Mapping[str, LockedDistribution]) -> None:
            session.progress.working(f"fetching {count(len(lacking), 'package')}")
            fill(session.store, lacking, pip, held)

        own = {key: locked for key, locked in missing.items() if not session.store.has(key)}
        if own:
            application, interpreter = transaction.application, transaction.current.interpreter
            index = index_fingerprint(application, transaction.declarations, interpreter, session.environ)
            missing_of = partial(_missing_of, request=transaction.request, index=index, session=session)
            claimed = claiming(missing_of, held, lambda _, locked: lock_of(locked, pip.compat_tag))
            session.batch.fetch_for_all(application, own, claimed, fill_store)


def _missing_of(
    application: Application, *, request: Request, index: str, session: Session
) -> dict[str, LockedDistribution]:
    """Return what *application* has to fetch (by key) for the same request; nothing if its pip uses other indexes."""
    request, declarations = declarations_in_force(application, request.for_others, session.looking())
    options = InspectOptions.of(request)._replace(check_all_files=False, verify_hashes=False)
    current = inspect(application, declarations, session, options)
    interpreter, store = current.interpreter, session.store
    if index_fingerprint(application, declarations, interpreter, session.environ) != index:
        return {}
    selection = selected(declarations, request)
    context = lock_context(application, declarations, interpreter, request.lock_policy, session)
    decision = valid_lock(context._replace(asked=selection))
    if decision is None:
        return {}
    locked = select(decision.lock, interpreter, selection, root=str(application.root))
    known = with_known_hashes([dist for dist in locked if dist.directory is None], store, application.venv)
    targets = targets_for([dist for dist in known if is_identified(dist)], context.keys)
    return {target.key: target.locked for target in current.plan(targets, store).fetch}
