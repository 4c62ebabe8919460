"""Which extras and groups a lock has together, and which it leaves out: `[tool.isolate]` of a lock by isolate. Pure.

A lock without this table has all its extras and groups together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from isolate.lock.parts import EXTRA, GROUP, Part, declared_parts, in_words, part_of, parts_of, selection_of
from isolate.lock.tool_table import TOOL
from isolate.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.pylock import Pylock

    from isolate.declarations.declared import Declarations
    from isolate.locked import Selection

SELECTIONS, LEFT_OUT = "selections", "left-out"

MAX_SELECTIONS = 100
"""How many selections of a lock count, because each costs a look at the whole lock."""


class LeftOut(NamedTuple):
    """A part that could not be resolved when nobody asked for it, and what it `requires`, as declared."""

    part: Part
    requires: tuple[str, ...]


def selections_of(lock: Pylock) -> tuple[Selection, ...]:
    """Return the selections that *lock* answers for, with everything that each of them includes, in order."""
    rows = _rows(lock, SELECTIONS)
    if not rows:
        parts = [*(Part(EXTRA, name) for name in lock.extras or ()), *(Part(GROUP, n) for n in _groups(lock))]
        return (selection_of(parts),)
    return tuple(
        selection_of([*_parts(row, "extras", EXTRA), *_parts(row, "groups", GROUP)]) for row in rows[:MAX_SELECTIONS]
    )


def left_out_of(lock: Pylock) -> tuple[LeftOut, ...]:
    """Return what *lock* leaves out."""
    found = []
    for row in _rows(lock, LEFT_OUT):
        requires = tuple(str(line) for line in _list(row, "requires"))
        found += [LeftOut(Part(kind, str(row[kind])), requires) for kind in (EXTRA, GROUP) if kind in row]
    return tuple(found)


def not_locked(lock: Pylock, selection: Selection) -> str | None:
    """Return why *lock* has no answer for *selection*; None if it has one."""
    asked = parts_of(selection)
    selections = [parts_of(each) for each in selections_of(lock)]
    if any(asked <= each for each in selections):
        return None
    left_out = asked & {row.part for row in left_out_of(lock)}
    if left_out:
        return f"{in_words(left_out)} could not be resolved when the lock was made"
    if missing := asked - frozenset().union(*selections):
        return f"{in_words(missing)} {'is' if len(missing) == 1 else 'are'} not locked"
    return f"{in_words(asked)} are not locked together"


def still_left_out(lock: Pylock, declarations: Declarations) -> frozenset[Part]:
    """Return what *lock* leaves out that is declared as it was when the lock was made."""
    return frozenset(row.part for row in left_out_of(lock) if row == left_out(row.part, declarations))


def left_out(part: Part, declarations: Declarations) -> LeftOut:
    """Return the record that *part* of *declarations* is left out of a lock."""
    texts = {redact(declared.text) for declared in declarations.requirements if part_of(declared) == part}
    return LeftOut(part, tuple(sorted(texts)))


def table_of(
    selections: Iterable[Iterable[Part]], omitted: Iterable[LeftOut], declarations: Declarations
) -> dict[str, Any] | None:
    """Return the `tool` table of a lock with these *selections*; None if it has everything together."""
    rows, gone = [frozenset(parts) for parts in selections], sorted(omitted)
    table: dict[str, Any] = {}
    if rows != [frozenset(declared_parts(declarations)) - {row.part for row in gone}]:
        table[SELECTIONS] = [
            {"extras": list(each.extras), "groups": list(each.groups)} for each in map(selection_of, rows)
        ]
    if gone:
        table[LEFT_OUT] = [{row.part.kind: row.part.name, "requires": list(row.requires)} for row in gone]
    return {TOOL: table} if table else None


def _groups(lock: Pylock) -> tuple[str, ...]:
    return (*(lock.dependency_groups or ()), *(lock.default_groups or ()))


def _rows(lock: Pylock, key: str) -> list[Mapping[str, Any]]:
    table = (lock.tool or {}).get(TOOL)
    rows = _list(table, key) if isinstance(table, dict) else []
    return [row for row in rows if isinstance(row, dict)]


def _parts(row: Mapping[str, Any], key: str, kind: str) -> list[Part]:
    return [Part(kind, str(name)) for name in _list(row, key)]


def _list(table: Mapping[str, Any], key: str) -> list[Any]:
    value = table.get(key)
    return value if isinstance(value, list) else []
