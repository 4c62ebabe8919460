"""What collides, as lines for people and as facts for machines. Pure."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from isolate.formatting import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from isolate.conflicts.pins import Conflict, Conflicts, Pin

PAIRS = 1000
"""How many pairs `facts` holds. `pair_count` says how many there are."""


def lines(conflicts: Conflicts, limit: int) -> tuple[str, ...]:
    """Return what collides, the groups that could share, and a summary, which is the last line.

    Each list (packages, the applications of a version, groups) shows *limit* entries and says how many it leaves out.
    """
    found = [
        line
        for conflict in conflicts.conflicts[:limit]
        for line in (conflict.name, *_version_lines(conflict, limit), "")
    ]
    if len(conflicts.conflicts) > limit:
        found += [f"and {_more(conflicts.conflicts, limit, 'package')}", ""]
    if conflicts.different_python:
        found += [*_python_lines(conflicts, limit), ""]
    if len(conflicts.groups) > 1:
        found += [*_group_lines(conflicts, limit), ""]
    return (*found, summary(conflicts))


def summary(conflicts: Conflicts) -> str:
    """Return one sentence: how much collides where, and how many environments are enough."""
    everyone = len(conflicts.applications)
    enough = count(len(conflicts.groups), "environment")
    if len(conflicts.groups) <= 1:
        whom = {0: "there is no application", 1: "there is one application"}
        return f"nothing collides: {whom.get(everyone, f'all {everyone} applications fit in {enough}')}"
    reasons = []
    if conflicts.conflicts:
        verb = "collides" if len(conflicts.conflicts) == 1 else "collide"
        where = count(len(conflicts.colliding), "application")
        reasons.append(f"{count(len(conflicts.conflicts), 'package')} {verb} in {where}")
    if conflicts.different_python:
        reasons.append(f"{len(conflicts.different_python)} versions of Python are in use")
    return f"{', '.join(reasons)}; all {count(everyone, 'application')} fit in {enough}"


def reason(pin: Pin) -> str:
    """Return why an application has a package: `direct` or `through celery → kombu`, and by which declaration."""
    chain = f"through {' → '.join(pin.through)}" if pin.through else "direct"
    return f"{chain}, from {pin.declared}" if pin.declared else chain


def shown(version: str) -> str:
    """Return *version* as people read it."""
    return version or "(source tree)"


def facts(conflicts: Conflicts) -> dict[str, object]:
    """Return everything but the pins that do not collide, ready for JSON; of the pairs, the first `PAIRS`."""
    return {
        "applications": list(conflicts.applications),
        "packages": conflicts.packages,
        "conflicts": [_conflict_facts(conflict) for conflict in conflicts.conflicts],
        "pythons": dict(conflicts.pythons),
        "groups": [list(group) for group in conflicts.groups],
        "pairs": [
            {"applications": [first, second], "names": list(names)}
            for first, second, names in islice(conflicts.pairs(), PAIRS)
        ],
        "pair_count": conflicts.count_pairs(),
        "summary": summary(conflicts),
    }


def _version_lines(conflict: Conflict, limit: int) -> Iterator[str]:
    for version, pins in conflict.versions:
        reasons = _reasons(pins)
        yield f"  {shown(version)} in {count(len(reasons), 'application')}"
        for application in islice(reasons, limit):
            yield f"    {application}: {'; '.join(reasons[application])}"
        if len(reasons) > limit:
            yield f"    and {_more(reasons, limit, 'application')}"


def _reasons(pins: Iterable[Pin]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for pin in pins:
        reasons.setdefault(pin.application, []).append(reason(pin))
    return reasons


def _python_lines(conflicts: Conflicts, limit: int) -> Iterator[str]:
    yield "Python"
    for minor, applications in conflicts.different_python:
        yield f"  {minor} in {_listed(applications, limit)}"


def _group_lines(conflicts: Conflicts, limit: int) -> Iterator[str]:
    yield "could share one environment:"
    for number, group in enumerate(conflicts.groups[:limit], start=1):
        yield f"  {number}. {_listed(group, limit)}"
    if len(conflicts.groups) > limit:
        yield f"  and {_more(conflicts.groups, limit, 'group')}"


def _listed(applications: tuple[str, ...], limit: int) -> str:
    text = ", ".join(applications[:limit])
    return f"{text} and {_more(applications, limit, 'application')}" if len(applications) > limit else text


def _more(things: tuple[object, ...] | dict[str, list[str]], limit: int, noun: str) -> str:
    return count(len(things) - limit, f"more {noun}")


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
