"""`isolate check`: check that declarations, lock and environment agree, and that no file was modified."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.findings import Finding, damage_findings, lock_findings, plan_findings, remedy, unverified_findings
from isolate.formatting import count
from isolate.lock.pinning import has_unpinned
from isolate.lock.precedence import precedence_of
from isolate.lock.select import select
from isolate.operations.current_state import UNVERIFIED, targets_for
from isolate.operations.identify import with_known_hashes
from isolate.operations.inspect import InspectOptions, inspect
from isolate.operations.recover import recover
from isolate.operations.transaction import named_lines
from isolate.outcome import Outcome
from isolate.plan import InstalledRef
from isolate.request import LockPolicy, Request, request_like, selected
from isolate.resolution.candidates import candidate_locks, first_valid, staleness_reasons
from isolate.resolution.in_force import declarations_in_force
from isolate.resolution.project_metadata import lock_context

if TYPE_CHECKING:
    from packaging.pylock import Pylock

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.operations.current_state import CurrentState
    from isolate.operations.verification import Verification
    from isolate.resolution.context import LockContext
    from isolate.session import Session


def check(application: Application, session: Session, *, hashes: bool = False) -> Outcome:
    """Return what differs, one line each, with exit code 1 if anything does. Changes nothing, needs no network.

    A change that a killed command left unfinished is finished first. With *hashes* every file is read.
    """
    session = session.looking()
    recover(application, session)
    request, declarations = declarations_in_force(application, Request(), session)
    options = InspectOptions(python=request.python, verify_hashes=hashes)
    current = inspect(application, declarations, session, options)
    current = current.with_requested_options(link_mode=declarations.settings.link_mode)
    current, findings = _findings(application, declarations, current, session)
    packages = len(current.state.installed) - 1 if current.state else 0
    lines = [*named_lines(declarations), *(finding.line for finding in findings)]
    if findings:
        lines.append(f"run `{remedy(findings)}` to fix")
    else:
        lines.append(f"OK: {count(packages, 'package')}, Python {current.interpreter.version}")
    return Outcome(
        command="check",
        exit_code=1 if findings else 0,
        lines=tuple(lines),
        facts={
            "findings": [finding._asdict() for finding in findings],
            "named": list(declarations.named.options),
            "packages": packages,
        },
    )


def _findings(
    application: Application, declarations: Declarations, current: CurrentState, session: Session
) -> tuple[CurrentState, list[Finding]]:
    """Return what differs, and the current state, which is now proven if its records did not prove it."""
    interpreter = current.interpreter
    context = lock_context(application, declarations, interpreter, LockPolicy(), session)
    declarations = context.declarations
    if (record := current.state or current.claim) is not None:
        context = context._replace(asked=selected(declarations, request_like(record.selection, declarations)))
    verdict = first_valid(candidate_locks(context), lambda candidate: staleness_reasons(candidate, context) or None)
    needs_lock = verdict.best is not None or has_unpinned(declarations, interpreter.markers)
    stale = lock_findings(verdict.reasons or ())
    if current.state is None and not needs_lock:  # whether a lock is needed, only pip could tell
        stale = []
    if current.state is None and current.rebuild != UNVERIFIED:
        return current, [Finding(code="missing-environment", subject=str(application.venv)), *stale]
    unproven: list[Finding] = []
    if current.state is None and verdict.lock is not None and not stale:
        from isolate.operations.verification import verify_what_is_stored

        verification = verify_what_is_stored(context, current, verdict.lock, context.asked)
        current, unproven = verification.current, _unproven(verification)
    if current.rebuild:
        return current, [Finding(code=current.rebuild.code, subject=current.rebuild.reason), *stale, *unproven]
    contents: list[Finding] = []
    if verdict.lock is not None and not stale:
        inexact = current.state is not None and current.state.inexact
        current = current.with_owners(precedence_of(verdict.lock), inexact=inexact)
        contents = _contents(verdict.lock, current, context)
    unknown = {finding.subject.partition(" ")[0] for finding in unproven}
    contents = [finding for finding in contents if finding.subject.partition(" ")[0] not in unknown]
    claimed = {path for dist in current.unmanaged if dist.name in unknown for path in dist.files}
    damaged = [damage for damage in current.damaged_files if damage.path not in claimed]
    return current, [*stale, *unproven, *contents, *damage_findings(damaged)]


def _unproven(verification: Verification) -> list[Finding]:
    """Return what is not proven about an environment without verified records."""
    return unverified_findings(verification.unproven, verification.code, verification.compiled)


def _contents(lock: Pylock, current: CurrentState, context: LockContext) -> list[Finding]:
    """Return what the environment holds other than *lock* says."""
    state = current.state
    if state is None:
        return []
    locked = select(lock, current.interpreter, context.asked, root=context.root)
    locked = with_known_hashes(locked, context.store, context.application.venv)
    targets = targets_for(locked, context.keys)
    if "pip" in state.installed and not any(target.name == "pip" for target in targets):
        targets.append(current.own_pip())
    plan = current.plan(targets, context.store, inexact=state.inexact)
    unmanaged = [InstalledRef(name=dist.name, version=dist.version, key=None) for dist in current.unmanaged]
    return plan_findings(plan, unmanaged)
