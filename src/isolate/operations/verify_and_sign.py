"""What a sync does with an environment whose records are not verified: verify it, and sign what matches."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from isolate.environment.records import LOCK, STATE, TEMPLATE, manifest_path, signed_record, template_record
from isolate.environment.sign import delete_compiled, sign
from isolate.errors import NotManaged
from isolate.formatting import count
from isolate.lock.precedence import precedence_of
from isolate.operations.apply import new_generation
from isolate.operations.builder import requested_link_mode
from isolate.operations.verification import Wanted, verify
from isolate.trace import timed

if TYPE_CHECKING:
    from isolate.application import Application
    from isolate.environment.builder import EnvironmentBuilder
    from isolate.operations.transaction import Transaction
    from isolate.operations.verification import Verification
    from isolate.session import Session

log = logging.getLogger(__name__)

MAX_LISTED = 8
"""How many files an error lists."""


class UnverifiedCode(NotManaged):
    """An environment whose records are not verified holds code that no package brought."""

    code = "unverified-code"
    remedy = "Delete the files, or keep them with `isolate sync --adopt`."


def verify_and_sign(transaction: Transaction, builder: EnvironmentBuilder, session: Session) -> Transaction:
    """Return *transaction*, whose environment is not verified, with what still has to change after it was verified.

    What the store lacks is fetched first, and the records of what matches are written; with `--dry-run` neither.
    Raises `UnverifiedCode` if there is code that no package brought, unless `--adopt` keeps it.
    """
    application, request = transaction.application, transaction.request
    if transaction.plan.fetch and not request.dry_run:
        from isolate.operations.fetch import fetch

        fetch(transaction, builder, session)
    targets = transaction.plan.install
    with timed(log, f"environment: verifying {count(len(targets), 'package')}"):
        wanted = Wanted(targets, transaction.selection, precedence_of(transaction.decision.lock))
        found = verify(application, transaction.current, wanted, session.store)
    if found.code and not request.adopt:
        raise _foreign_code(application, found)
    current = found.current._replace(unproven=found.unproven)
    if current.state is not None:
        mode = builder.linker.options.mode
        state = current.state._replace(inexact=request.inexact, link_mode=mode, named=request.named)
        current = current._replace(state=state).with_requested_options(
            link_mode=requested_link_mode(transaction.declarations, request), bytecode=request.bytecode
        )
    plan = current.plan(targets, session.store, inexact=request.inexact)
    verified = transaction._replace(current=current, plan=plan)
    if not current.rebuild and not request.dry_run:
        delete_compiled(application.venv, found.compiled)
        with contextlib.suppress(OSError):  # what is read-only is verified each time
            sign(application.venv, _records(verified, found, session))
    return verified


def _records(transaction: Transaction, found: Verification, session: Session) -> dict[str, bytes]:
    """Return the records of the verified environment, by path; the state last, because it gives the others a meaning.

    If the environment is what the lock asks for, a generation is recorded, so that a rollback can return to it.
    """
    venv, state = transaction.application.venv, transaction.current.state
    records = {manifest_path(manifest.name): manifest.to_json() for manifest in found.manifests}
    records[TEMPLATE] = template_record(venv, found.template)
    if transaction.is_empty:
        generation = new_generation(transaction, session.clock())
        records[LOCK] = signed_record(venv, LOCK, transaction.decision.content)
        records[generation.path] = generation.to_record(venv)
    if state is not None:
        records[STATE] = state.to_record()
    return records


def _foreign_code(application: Application, found: Verification) -> UnverifiedCode:
    more = len(found.code) - MAX_LISTED
    return UnverifiedCode(
        f"{application.venv} has code that no package brought, and records that this user's isolate did not write",
        facts=(*found.code[:MAX_LISTED], *([f"… {more} more"] if more > 0 else [])),
        hint="delete these files, or use `isolate sync --adopt` to keep them",
    )
