"""A transaction: what a sync will do and why, decided before it changes anything, and the report of it."""

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
    from isolate.resolution.candidates import LockDecision


class Transaction(NamedTuple):
    """What a command will do to an application's environment, and why.

    `inputs` are the source trees and archives in `locked` that are read, with their stamp lines from before they were:
    see `input_files_of_lock`. `left_out` are requirements whose metadata only a build could tell, as declared.
    """

    application: Application
    declarations: Declarations
    request: Request
    current: CurrentState
    selection: Selection
    decision: LockDecision
    locked: tuple[LockedDistribution, ...]
    plan: Plan
    command: str = "sync"
    inputs: Mapping[str, str] = {}
    left_out: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Return whether the environment stays as it is."""
        return self.plan.is_empty and not self.current.rebuild and not self.left_out

    @property
    def shown(self) -> tuple[Change, ...]:
        """Return the changes to report: all but the pip that a new environment starts with."""
        changes, rebuild = self.plan.changes, self.current.rebuild
        return tuple(change for change in changes if change.name != "pip" or not (rebuild or change.action == "add"))

    @property
    def packages(self) -> int:
        """Return how many packages the environment will hold, not counting its pip."""
        return len({*self.plan.keep, *(target.name for target in self.plan.install)} - {"pip"})


def outcome(transaction: Transaction, seconds: float) -> Outcome:
    """Return the outcome of *transaction*, which took *seconds*."""
    lines = _unchanged(transaction, seconds) if transaction.is_empty else _changed(transaction, seconds)
    return Outcome(command=transaction.command, facts=_facts(transaction, seconds), lines=tuple(lines))


def _unchanged(transaction: Transaction, seconds: float) -> list[str]:
    python = transaction.current.interpreter.version
    packages = count(transaction.packages, "package")
    verified = _verified_lines(transaction)
    named = named_lines(transaction.declarations)
    return [
        *named,
        *_lock_lines(transaction),
        *verified,
        f"nothing to do: {packages}, Python {python} ({duration(seconds)})",
    ]


def _changed(transaction: Transaction, seconds: float) -> list[str]:
    current, dry_run = transaction.current, transaction.request.dry_run
    lines = []
    if transaction.command == "sync":  # a rollback does not follow the declarations, and they may be unreadable
        lines.append(f"read {', '.join(read_files(transaction.declarations))}")
        lines += _unread(transaction.declarations) if current.rebuild == FIRST else []
    lines += named_lines(transaction.declarations)
    lines += _lock_lines(transaction)
    lines.append(f"Python {current.interpreter.version}: {current.interpreter.executable} ({current.choice.reason})")
    if current.rebuild == FIRST:
        lines.append("would create .venv" if dry_run else "created .venv")
    elif current.rebuild:
        lines.append(f"{'would recreate' if dry_run else 'recreated'} .venv: {current.rebuild.reason}")
    lines += _verified_lines(transaction)
    lines += [change.line for change in transaction.shown]
    lines += [f"left out: {text}: only a build could tell what it needs" for text in transaction.left_out]
    lines.append(_summary(transaction, seconds))
    return lines


def _unread(declarations: Declarations) -> list[str]:
    """Return what declares requirements, too, and is not read; said once, when the environment is created."""
    from isolate.declarations.other_files import unread_files
    from isolate.lock.metadata_files import metadata_files

    built_from = metadata_files(str(declarations.root)) if declarations.has_dynamic_dependencies else ()
    return unread_files(declarations, built_from) if declarations.files and declarations.script is None else []


def _verified_lines(transaction: Transaction) -> list[str]:
    """Return what was done about an environment whose records this user's isolate did not write."""
    if not transaction.current.verified or transaction.current.rebuild:
        return []
    kept = count(len({*transaction.plan.keep} - {"pip"}), "package")
    if not transaction.request.dry_run:
        return [f"verified .venv against the store ({kept} as locked) and signed its records"]
    unproven = ", ".join(name for name in transaction.current.unproven if name in transaction.plan.remove_unmanaged)
    lines = [f"verified .venv against the store ({kept} as locked)"]
    return [*lines, f"not in the store, and therefore not verified before a sync: {unproven}"] if unproven else lines


def _summary(transaction: Transaction, seconds: float) -> str:
    changed = len(transaction.shown)
    if transaction.request.dry_run:
        return f"would change {count(changed, 'package')} and have {transaction.packages} installed"
    return f"{changed} changed, {transaction.packages} installed ({duration(seconds)})"


def _lock_lines(transaction: Transaction) -> list[str]:
    decision = transaction.decision
    if not (decision.is_new and decision.in_tree):
        return [*decision.notes]
    written = "would write pylock.toml" if transaction.request.dry_run else "wrote pylock.toml"
    return [*decision.reason_lines, *decision.notes, written]


def _facts(transaction: Transaction, seconds: float) -> dict[str, object]:
    current, decision = transaction.current, transaction.decision
    return {
        "changes": [change._asdict() for change in transaction.shown],
        "declarations": read_files(transaction.declarations),
        "lock": {
            "in_tree": decision.in_tree,
            "written": decision.is_new and decision.in_tree and not transaction.request.dry_run,
            "reasons": list(decision.reasons),
            "notes": list(decision.notes),
        },
        **({"left_out": list(transaction.left_out)} if transaction.request.dry_run else {}),
        "named": list(transaction.declarations.named.options),
        "packages": transaction.packages,
        "python": {
            "version": current.interpreter.version,
            "executable": current.interpreter.executable,
            "reason": current.choice.reason,
        },
        "rebuilt": current.rebuild.reason if current.rebuild else None,
        "seconds": round(seconds, 3),
        "up_to_date": transaction.is_empty,
    }


def named_lines(declarations: Declarations) -> list[str]:
    """Return the line that says what was named on the command line, now or before; none if nothing was."""
    line = declarations.named.line
    return [] if line is None else [line]


def read_files(declarations: Declarations) -> list[str]:
    """Return the declaration files, as paths from the application's directory where they are below it."""
    root = declarations.root
    if declarations.script is not None:
        return [str(declarations.script)]
    files = [str(file.relative_to(root)) if file.is_relative_to(root) else str(file) for file in declarations.files]
    return files or ["pylock.toml"]
