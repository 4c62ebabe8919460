"""Stop before a change if what was just fetched says that the lock is not complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.resolution.completeness import unmet_dependencies
from isolate.resolution.context import context_of

if TYPE_CHECKING:
    from isolate.operations.transaction import Transaction
    from isolate.session import Session


class IncompleteLock(Exception):
    """The lock that was taken for fresh is stale, and the store has the metadata that says so. Nothing has changed."""


def ensure_complete(transaction: Transaction, session: Session) -> None:
    """Raise `IncompleteLock` if the packages of *transaction*, which the store has now, do not go together.

    A lock that was just made does not count: pip has chosen what goes together.
    """
    decision, request, declarations = transaction.decision, transaction.request, transaction.declarations
    if decision.is_new or not request.lock_policy.validate or not declarations.files:
        return
    interpreter, policy = transaction.current.interpreter, request.lock_policy
    context = context_of(transaction.application, declarations, interpreter, policy, session)
    context = context._replace(asked=transaction.selection)
    if unmet_dependencies(decision.lock, decision.content, context):
        raise IncompleteLock
