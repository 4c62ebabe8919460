"""`isolate check`: check that declarations, lock and environment agree, and that no file was modified."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.declarations.read import read_declarations
from isolate.findings import Finding, damage_findings, lock_findings, plan_findings, remedy
from isolate.formatting import count
from isolate.lock.pinning import has_unpinned
from isolate.lock.select import select
from isolate.operations.current_state import targets_for
from isolate.operations.inspect import InspectOptions, inspect
from isolate.operations.recover import recover
from isolate.outcome import Outcome
from isolate.plan import InstalledRef
from isolate.request import LockPolicy
from isolate.resolution.candidates import candidate_locks, first_valid, staleness_reasons
from isolate.resolution.context import lock_context

if TYPE_CHECKING:
    from packaging.pylock import Pylock

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.operations.current_state import CurrentState
    from isolate.session import Session


def check(application: Application, session: Session, *, hashes: bool = False) -> Outcome:
    """Return what differs, one line each, with exit code 1 if anything does. Changes nothing, needs no network.

    A change that a killed command left unfinished is finished first. With *hashes* every file is read.
    """
    session = session.looking()
    recover(application, session)
    declarations = read_declarations(application.root)
    current = inspect(application, declarations, session, InspectOptions(verify_hashes=hashes))
    current = current.with_requested_options(link_mode=declarations.settings.link_mode)
    findings = _findings(application, declarations, current, session)
    packages = len(current.state.installed) - 1 if current.state else 0
    lines = [finding.line for finding in findings]
    if findings:
        lines.append(f"run `{remedy(findings)}` to fix")
    else:
        lines.append(f"OK: {count(packages, 'package')}, Python {current.interpreter.version}")
    return Outcome(
        command="check",
        exit_code=1 if findings else 0,
        lines=tuple(lines),
        facts={"findings": [finding._asdict() for finding in findings], "packages": packages},
    )


def _findings(
    application: Application, declarations: Declarations, current: CurrentState, session: Session
) -> list[Finding]:
    interpreter = current.interpreter
    context = lock_context(application, declarations, interpreter, LockPolicy(), session)
    verdict = first_valid(
        candidate_locks(context), lambda candidate: staleness_reasons(candidate.lock, context) or None
    )
    needs_lock = verdict.best is not None or has_unpinned(declarations, interpreter.markers)
    no_environment = Finding(code="missing-environment", subject=str(application.venv))
    if current.state is None and not needs_lock:  # whether a lock is needed, only pip could tell
        return [no_environment]
    stale = lock_findings(verdict.reasons or ())
    if current.state is None:
        return [no_environment, *stale]
    if current.rebuild:
        return [Finding(code=current.rebuild.code, subject=current.rebuild.reason), *stale]
    contents = _contents(verdict.lock, current, session, application) if verdict.lock is not None and not stale else []
    return [*stale, *contents, *damage_findings(current.damaged_files)]


def _contents(lock: Pylock, current: CurrentState, session: Session, application: Application) -> list[Finding]:
    """Return what the environment holds other than *lock* says."""
    state = current.state
    if state is None:
        return []
    locked = select(lock, current.interpreter, state.selection, root=str(application.root))
    targets = targets_for(locked, current.interpreter)
    if "pip" in state.installed and not any(target.name == "pip" for target in targets):
        targets.append(current.own_pip())
    plan = current.plan(targets, session.store, inexact=state.inexact)
    unmanaged = [InstalledRef(name=dist.name, version=dist.version, key=None) for dist in current.unmanaged]
    return plan_findings(plan, unmanaged)
