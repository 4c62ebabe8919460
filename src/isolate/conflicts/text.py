"""Conflicts as lines for people, and as facts for JSON. Pure."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from isolate.formatting import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sized

    from isolate.conflicts.pins import Conflict, Conflicts, Pin

MAX_PAIRS = 1000
"""The most pairs that `facts` returns. Its `pair_count` is the number of all pairs."""


def lines(conflicts: Conflicts, limit: int) -> tuple[str, ...]:
    """Return the conflicts, the groups that can share an environment, and, as the last line, a summary.

    Each list (packages, the applications of a version, groups) shows *limit* entries and how many it leaves out.
    """
    listed = [
        line
        for conflict in conflicts.conflicts[:limit]
        for line in (conflict.name, *_version_lines(conflict, limit), "")
    ]
    if len(conflicts.conflicts) > limit:
        listed += [f"and {_more(conflicts.conflicts, limit, 'package')}", ""]
    if conflicts.applications_by_python:
        listed += [*_python_lines(conflicts, limit), ""]
    if len(conflicts.groups) > 1:
        listed += [*_group_lines(conflicts, limit), ""]
    return (*listed, summary(conflicts))


def summary(conflicts: Conflicts) -> str:
    """Return one sentence: how many packages conflict in how many applications, and how many environments suffice."""
    application_count = count(len(conflicts.applications), "application")
    if len(conflicts.applications) <= 1:
        return f"no conflicts ({application_count})"
    fit = f"all {application_count} fit in {count(len(conflicts.groups), 'environment')}"
    if len(conflicts.groups) == 1:
        return f"no conflicts: {fit}"
    reasons = []
    if conflicts.conflicts:
        verb = "conflicts" if len(conflicts.conflicts) == 1 else "conflict"
        across = count(len(conflicts.conflicting_applications), "application")
        reasons.append(f"{count(len(conflicts.conflicts), 'package')} {verb} across {across}")
    if conflicts.applications_by_python:
        reasons.append(f"{len(conflicts.applications_by_python)} versions of Python are in use")
    return f"{', '.join(reasons)}; {fit}"


def reason(pin: Pin) -> str:
    """Return why an application has a package: `direct` or `via celery → kombu`, and by which declaration."""
    chain = f"via {' → '.join(pin.through)}" if pin.through else "direct"
    return f"{chain}, from {pin.declared}" if pin.declared else chain


def displayed(version: str) -> str:
    """Return *version* as people read it."""
    return version or "(source tree)"


def facts(conflicts: Conflicts) -> dict[str, object]:
    """Return everything but the pins without a conflict, ready for JSON, with at most `MAX_PAIRS` pairs."""
    return {
        "applications": list(conflicts.applications),
        "packages": conflicts.package_count,
        "conflicts": [_conflict_facts(conflict) for conflict in conflicts.conflicts],
        "pythons": dict(conflicts.pythons),
        "groups": [list(group) for group in conflicts.groups],
        "pairs": [
            {"applications": [first, second], "names": list(names)}
            for first, second, names in islice(conflicts.pairs(), MAX_PAIRS)
        ],
        "pair_count": conflicts.count_pairs(),
        "summary": summary(conflicts),
    }


def _version_lines(conflict: Conflict, limit: int) -> Iterator[str]:
    for version, pins in conflict.versions:
        reasons = _reasons(pins)
        yield f"  {displayed(version)} in {count(len(reasons), 'application')}"
        for application in islice(reasons, limit):
            yield f"    {application}: {'; '.join(reasons[application])}"
        if len(reasons) > limit:
            yield f"    and {_more(reasons, limit, 'application')}"


def _reasons(pins: Iterable[Pin]) -> dict[str, list[str]]:
    """Return the reasons of *pins* by application."""
    reasons: dict[str, list[str]] = {}
    for pin in pins:
        reasons.setdefault(pin.application, []).append(reason(pin))
    return reasons


def _python_lines(conflicts: Conflicts, limit: int) -> Iterator[str]:
    yield "Python"
    for minor, applications in conflicts.applications_by_python:
        yield f"  {minor} in {_listed(applications, limit)}"


def _group_lines(conflicts: Conflicts, limit: int) -> Iterator[str]:
    yield "applications that can share an environment:"
    for number, group in enumerate(conflicts.groups[:limit], start=1):
        yield f"  {number}. {_listed(group, limit)}"
    if len(conflicts.groups) > limit:
        yield f"  and {_more(conflicts.groups, limit, 'group')}"


def _listed(applications: tuple[str, ...], limit: int) -> str:
    text = ", ".join(applications[:limit])
    return f"{text} and {_more(applications, limit, 'application')}" if len(applications) > limit else text


def _more(items: Sized, limit: int, noun: str) -> str:
    return count(len(items) - limit, f"more {noun}")


def _conflict_facts(conflict: Conflict) -> dict[str, object]:
    return {
        "name": conflict.name,
        "versions": [
            {
                "version": version,
                "pins": [
                    {"application": pin.application, "declared": pin.declared, "through": list(pin.through)}
                    for pin in pins
                ],
            }
            for version, pins in conflict.versions
        ],
    }
