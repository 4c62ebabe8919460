"""Turns facts about an application into findings, each with a stable code and a line that a user understands. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from isolate.lock.local_sources import is_about_metadata

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from isolate.environment.verify import DamagedFile
    from isolate.plan import InstalledRef, Plan

FILE_CODES = ("missing-file", "modified-file", "unsafe-mode")
"""The codes of findings that only a comparison of every file reliably produces."""


class Finding(NamedTuple):
    """One difference between an environment and its declarations.

    `code` is a stable identifier that `docs/reference/json.md` lists; `subject` names what differs.
    """

    code: str
    subject: str
    detail: str = ""

    @property
    def line(self) -> str:
        """Return the finding as a user reads it: `modified file: lib/... (alpha)`."""
        return f"{self.code.replace('-', ' ')}: {self.subject}" + (f" ({self.detail})" if self.detail else "")


def lock_findings(reasons: Iterable[str]) -> list[Finding]:
    """Return a finding for each reason why the lock is out of date."""
    return [
        Finding(code="metadata-unknown" if is_about_metadata(reason) else "stale-lock", subject=reason)
        for reason in reasons
    ]


def plan_findings(plan: Plan, unmanaged: Iterable[InstalledRef]) -> list[Finding]:
    """Return a finding for each distribution that *plan* adds, removes or replaces.

    A repair gives none: `damage_findings` names each of its files.
    """
    unmanaged_names = {dist.name for dist in unmanaged}
    findings = []
    for change in plan.changes:
        if change.action == "add":
            findings.append(Finding(code="missing-package", subject=f"{change.name} {change.new or ''}".strip()))
        elif change.action == "remove":
            findings.append(Finding(code="extra-package", subject=f"{change.name} {change.old}"))
        elif change.action == "replace" and change.old == change.new:
            detail = "installed by another tool" if change.name in unmanaged_names else "expected another artifact"
            findings.append(Finding(code="wrong-build", subject=f"{change.name} {change.old}", detail=detail))
        elif change.action == "replace":
            detail = f"expected {change.new or 'the source tree'}"
            findings.append(Finding(code="wrong-version", subject=f"{change.name} {change.old}", detail=detail))
    return findings


def damage_findings(damaged_files: Iterable[DamagedFile]) -> list[Finding]:
    """Return a finding for each file that is missing or modified, or has an unsafe mode."""
    return [
        Finding(code=damage.code, subject=damage.path, detail=damage.name or "the environment itself")
        for damage in damaged_files
    ]


def unverified_findings(packages: Iterable[str], code: Iterable[str], compiled: Collection[str]) -> list[Finding]:
    """Return a finding for each thing in an environment without verified records that cannot be proven.

    They are *packages* that the store lacks, files with *code* that no package brought, and *compiled* files.
    """
    findings = [Finding("unverified", name, "not in the store") for name in packages]
    findings += [Finding("unverified", path, "no package brought it") for path in code]
    if compiled:
        first, more = min(compiled), len(compiled) - 1
        findings.append(Finding("unverified", first, f"compiled, as are {more} more files" if more else "compiled"))
    return findings


def remedy(findings: Iterable[Finding]) -> str:
    """Return the command that fixes *findings*.

    A plain sync skips directories that have not changed, so it misses a file that was edited in place.
    """
    return "isolate sync --verify" if any(finding.code in FILE_CODES for finding in findings) else "isolate sync"
