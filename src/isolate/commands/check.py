"""`isolate check`: do the declarations, the lock and the environment agree, and is every file as it was installed?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.declarations.reading import read_declarations
from isolate.health import Finding, damage_findings, lock_findings, plan_findings, remedy
from isolate.lock.openness import asks_for_a_choice
from isolate.lock.selection import select
from isolate.plan import There
from isolate.report import Outcome, count
from isolate.steps.locking import digests_of_trees, find_locks, first_to_hold, stale_reasons
from isolate.steps.looking import look_at
from isolate.steps.recovery import recover
from isolate.steps.situation import targets_for

if TYPE_CHECKING:
    from packaging.pylock import Pylock

    from isolate.application import Application
    from isolate.declarations.model import Declarations
    from isolate.steps.session import Session
    from isolate.steps.situation import Situation


def check(application: Application, session: Session, *, hashes: bool = False) -> Outcome:
    """Return what differs, one line each, with exit code 1 if anything does. Changes nothing, needs no network.

    A switch that was killed is finished first, since what it left is neither here nor there. With *hashes* every file
    is read.
    """
    recover(application, session)
    declarations = read_declarations(application.root)
    situation = look_at(application, declarations, None, session, hashes=hashes)
    situation = situation.for_what_is_asked(link_mode=declarations.settings.link_mode)
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
    application: Application, declarations: Declarations, situation: Situation, session: Session
) -> list[Finding]:
    interpreter, trees = situation.interpreter, digests_of_trees(declarations)
    best, why = first_to_hold(
        find_locks(application, declarations, interpreter, session.store),
        lambda one: stale_reasons(one.lock, declarations, interpreter, trees) or None,
    )
    lock = None if best is None else best.lock
    needed = lock is not None or asks_for_a_choice(declarations, interpreter.markers)
    if situation.state is None and not needed:  # at least only pip could tell
        return [Finding(kind="no environment", subject=str(application.venv))]
    found = lock_findings(why or ())
    if situation.state is None:
        return [Finding(kind="no environment", subject=str(application.venv)), *found]
    if situation.rebuild:
        return [Finding(kind=situation.rebuild.kind, subject=situation.rebuild.words), *found]
    if lock is not None and not found:
        found += _contents(application, lock, situation, session)
    return [*found, *damage_findings(situation.damages)]


def _contents(application: Application, lock: Pylock, situation: Situation, session: Session) -> list[Finding]:
    state = situation.state
    if state is None:
        return []
    locked = select(lock, situation.interpreter, state.selection, root=str(application.root))
    targets = targets_for(locked, situation.interpreter, session.store)
    if "pip" in state.installed and not any(target.name == "pip" for target in targets):
        targets.append(situation.own_pip())
    plan = situation.plan(targets, session.store, inexact=state.inexact)
    strangers = [There(name=one.name, version=one.version, key=None) for one in situation.foreign]
    return plan_findings(plan, strangers)
