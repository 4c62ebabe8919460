"""All that a sync found out and decided, before it changes anything; and how it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from isolate.formatting import count, duration
from isolate.operations.current_state import FIRST
from isolate.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.locked import LockedDistribution, Selection
    from isolate.operations.current_state import CurrentState
    from isolate.plan import Change, Plan
    from isolate.request import Request
    from isolate.resolution.decide import LockDecision


class Transaction(NamedTuple):
    """What is to become of an application's environment, and why.

    `inputs` has what is read of the trees and archives in `locked`, as it stood before: see `input_files_of_lock`.
    """

    application: Application
    declarations: Declarations
    request: Request
    situation: CurrentState
    selection: Selection
    decision: LockDecision
    locked: tuple[LockedDistribution, ...]
    plan: Plan
    command: str = "sync"
    inputs: Mapping[str, str] = {}

    @property
    def is_empty(self) -> bool:
        """Say whether the environment stays as it is."""
        return self.plan.is_empty and not self.situation.rebuild

    @property
    def shown(self) -> tuple[Change, ...]:
        """Return the changes that a user wants to read: a new environment's own pip is not among them."""
        changes, anew = self.plan.changes, self.situation.rebuild
        return tuple(one for one in changes if one.name != "pip" or not (anew or one.action == "add"))

    @property
    def packages(self) -> int:
        """Return how many distributions the environment will hold, its pip aside."""
        return len({*self.plan.keep, *(target.name for target in self.plan.install)} - {"pip"})


def outcome(proposal: Transaction, seconds: float) -> Outcome:
    """Return what a sync came to that took *seconds*."""
    lines = _changed(proposal, seconds) if not proposal.is_empty else _unchanged(proposal, seconds)
    return Outcome(command=proposal.command, facts=_facts(proposal, seconds), lines=tuple(lines))


def _unchanged(proposal: Transaction, seconds: float) -> list[str]:
    python = proposal.situation.interpreter.version
    packages = count(proposal.packages, "package")
    return [*_lock_line(proposal), f"nothing to do: {packages}, Python {python} ({duration(seconds)})"]


def _changed(proposal: Transaction, seconds: float) -> list[str]:
    situation, dry = proposal.situation, proposal.request.dry_run
    follows = proposal.command == "sync"  # a rollback does not, and may not even be able to read them
    lines = [f"read {', '.join(read_files(proposal.declarations))}"] if follows else []
    lines += _lock_line(proposal)
    lines.append(
        f"Python {situation.interpreter.version}: {situation.interpreter.executable} ({situation.choice.reason})"
    )
    if situation.rebuild:
        anew = "" if situation.rebuild == FIRST else f" anew: {situation.rebuild.words}"
        lines.append(f"{'would make' if dry else 'made'} .venv{anew}")
    lines += [change.line for change in proposal.shown]
    verb = "would change" if dry else "changed"
    what = f"{count(len(proposal.shown), 'package')}, {proposal.packages} now installed"
    lines.append(f"{verb} {what} ({duration(seconds)})")
    return lines


def _lock_line(proposal: Transaction) -> list[str]:
    if not (proposal.decision.is_new and proposal.decision.in_tree):
        return []
    return [*proposal.decision.because, "would write pylock.toml" if proposal.request.dry_run else "wrote pylock.toml"]


def _facts(proposal: Transaction, seconds: float) -> dict[str, object]:
    situation, decision = proposal.situation, proposal.decision
    return {
        "changes": [change._asdict() for change in proposal.shown],
        "declarations": read_files(proposal.declarations),
        "lock": {
            "in_tree": decision.in_tree,
            "written": decision.is_new and decision.in_tree and not proposal.request.dry_run,
            "reasons": list(decision.reasons),
        },
        "packages": proposal.packages,
        "python": {
            "version": situation.interpreter.version,
            "executable": situation.interpreter.executable,
            "reason": situation.choice.reason,
        },
        "rebuilt": situation.rebuild.words if situation.rebuild else None,
        "seconds": round(seconds, 3),
        "up_to_date": proposal.is_empty,
    }


def read_files(declarations: Declarations) -> list[str]:
    """Return the declaration files as a user would name them from the application's directory."""
    root = declarations.root
    files = [str(file.relative_to(root)) if file.is_relative_to(root) else str(file) for file in declarations.files]
    return files or ["pylock.toml"]
