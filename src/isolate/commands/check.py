"""`isolate check`: do the declarations, the lock and the environment agree, and is every file as it was installed?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.declarations.read import read_declarations
from isolate.findings import Finding, damage_findings, lock_findings, plan_findings, remedy
from isolate.formatting import count
from isolate.lock.pinning import has_unpinned
from isolate.lock.select import select
from isolate.operations.current_state import targets_for
from isolate.operations.inspect import inspect
from isolate.operations.recover import recover
from isolate.outcome import Outcome
from isolate.plan import InstalledRef
from isolate.resolution.decide import candidate_locks, first_valid, source_tree_digests, stale_reasons

if TYPE_CHECKING:
    from packaging.pylock import Pylock

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.operations.current_state import CurrentState
    from isolate.session import Session


def check(application: Application, session: Session, *, hashes: bool = False) -> Outcome:
    """Return what differs, one line each, with exit code 1 if anything does. Changes nothing, needs no network.

    A switch that was killed is finished first, since what it left is neither here nor there. With *hashes* every file
    is read.
    """
    recover(application, session)
    declarations = read_declarations(application.root)
    situation = inspect(application, declarations, None, session, hashes=hashes)
    situation = situation.with_requested_options(link_mode=declarations.settings.link_mode)
    found = _findings(application, declarations, situation, session)
    packages = len(situation.state.installed) - 1 if situation.state else 0
    lines = [finding.line for finding in found] or [
        f"all is well: {count(packages, 'package')}, Python {situation.interpreter.version}"
    ]
    if found:
        lines.append(f"run `{remedy(found)}` to put it right")
    return Outcome(
        command="check",
        exit_code=1 if found else 0,
        lines=tuple(lines),
        facts={"findings": [finding._asdict() for finding in found], "packages": packages},
    )


def _findings(
    application: Application, declarations: Declarations, situation: CurrentState, session: Session
) -> list[Finding]:
    interpreter, trees = situation.interpreter, source_tree_digests(declarations)
    best, why = first_valid(
        candidate_locks(application, declarations, interpreter, session.store),
        lambda one: stale_reasons(one.lock, declarations, interpreter, trees) or None,
    )
    lock = None if best is None else best.lock
    needed = lock is not None or has_unpinned(declarations, interpreter.markers)
    if situation.state is None and not needed:  # at least only pip could tell
        return [Finding(code="missing-environment", subject=str(application.venv))]
    found = lock_findings(why or ())
    if situation.state is None:
        return [Finding(code="missing-environment", subject=str(application.venv)), *found]
    if situation.rebuild:
        return [Finding(code=situation.rebuild.code, subject=situation.rebuild.words), *found]
    if lock is not None and not found:
        found += _contents(application, lock, situation, session)
    return [*found, *damage_findings(situation.damages)]


def _contents(application: Application, lock: Pylock, situation: CurrentState, session: Session) -> list[Finding]:
    state = situation.state
    if state is None:
        return []
    locked = select(lock, situation.interpreter, state.selection, root=str(application.root))
    targets = targets_for(locked, situation.interpreter)
    if "pip" in state.installed and not any(target.name == "pip" for target in targets):
        targets.append(situation.own_pip())
    plan = situation.plan(targets, session.store, inexact=state.inexact)
    strangers = [InstalledRef(name=one.name, version=one.version, key=None) for one in situation.foreign]
    return plan_findings(plan, strangers)
