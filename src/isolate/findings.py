"""Facts about an application to findings, each a line that a user understands. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from isolate.environment.verify import Damage
    from isolate.plan import InstalledRef, Plan

DAMAGE = ("file missing", "file changed")
"""The kinds of findings that only a look at every file is sure to have."""


class Finding(NamedTuple):
    """One thing that is not as it should be: `kind` is listed in `docs/reference/json.md`, `subject` is what it is about."""

    kind: str
    subject: str
    detail: str = ""

    @property
    def line(self) -> str:
        """Return the finding as a user reads it."""
        return f"{self.kind}: {self.subject}" + (f" ({self.detail})" if self.detail else "")


def lock_findings(reasons: Iterable[str]) -> list[Finding]:
    """Return a finding for each reason that makes the lock stale."""
    return [Finding(kind="stale lock", subject=reason) for reason in reasons]


def plan_findings(plan: Plan, unmanaged_to_remove: Iterable[InstalledRef]) -> list[Finding]:
    """Return a finding for each distribution that *plan* would change for another reason than damaged files."""
    others = {one.name: one.version for one in unmanaged_to_remove}
    found = []
    for change in plan.changes:
        if change.action == "add":
            found.append(Finding(kind="missing", subject=f"{change.name} {change.new or ''}".strip()))
        elif change.action == "remove":
            found.append(Finding(kind="extra", subject=f"{change.name} {change.old}"))
        elif change.action == "replace" and change.old == change.new:
            detail = "installed by something else" if change.name in others else "another artifact is locked"
            found.append(Finding(kind="other build", subject=f"{change.name} {change.old}", detail=detail))
        elif change.action == "replace":
            detail = f"{change.new or 'the source tree'} is locked"
            found.append(Finding(kind="other version", subject=f"{change.name} {change.old}", detail=detail))
    return found


def damage_findings(damages: Iterable[Damage]) -> list[Finding]:
    """Return a finding for each file that is not as it was installed."""
    return [
        Finding(kind=f"file {one.what}", subject=one.path, detail=one.name or "the environment itself")
        for one in damages
    ]


def remedy(findings: Iterable[Finding]) -> str:
    """Return the command that puts *findings* right.

    A plain sync does not look into directories that have not changed, and so not at a file that was edited in place.
    """
    return "isolate sync --verify" if any(one.kind in DAMAGE for one in findings) else "isolate sync"
