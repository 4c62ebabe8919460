"""How the time grows with the number of distributions and of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cases import by, cleared, moved, pins, synced
from measure import Case

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from synthetic import Index
    from tools import Tool

OTHER_IDNA = "idna==3.19"
REAL = ("tiny", "thirty", "web-app", "data-science")
MANY = 1000
LARGE = (100, 50, 20)  # distributions, folders in each, files in each: 100,000 files


def with_pin(lines: Sequence[str], pin: str) -> list[str]:
    """Return *lines* with *pin* in the place of the other version of the same distribution."""
    start = pin.partition("==")[0] + "=="
    return [pin if line.startswith(start) else line for line in lines]


def made(index: Index, version: str = "1") -> list[str]:
    """Return the pins of a thousand made-up distributions, of which the first is of *version*, `1` or `2`."""
    index.add("made-0000", "2")  # there from the beginning: a tool may keep what the index said
    return [index.add(f"made-{number:04}", "1" if number else version) for number in range(MANY)]


def large(index: Index) -> list[str]:
    """Return the pins of made-up distributions that hold a hundred thousand files together."""
    count, folders, files = LARGE
    return [index.add(f"large-{number:03}", "1", folders, files) for number in range(count)]


def cases(index: Callable[[], Index]) -> dict[str, Case]:
    """Return the cases; *index* is called when the first of those that need it is prepared."""
    found: dict[str, Case] = {}
    for name in REAL:
        lines = pins(name)
        found |= _three(len(lines), lambda lines=lines: lines, lambda lines=lines: with_pin(lines, OTHER_IDNA))
    found |= _three(MANY, lambda: made(index()), lambda: made(index(), "2"), is_made=True)
    files = LARGE[0] * LARGE[1] * LARGE[2]

    def noop(tool: Tool) -> None:
        synced(large(index()))(tool)

    large_noop = Case(noop, by("sync"), made=True, still=True, size=True)
    return found | {f"scaling, noop, {files} files": large_noop}


def _three(
    count: int, before: Callable[[], list[str]], after: Callable[[], list[str]], *, is_made: bool = False
) -> dict[str, Case]:
    def noop(tool: Tool) -> None:
        synced(before())(tool)

    def warm(tool: Tool) -> None:
        cleared(before())(tool)

    def delta(tool: Tool) -> None:
        moved(before(), after())(tool)

    steps = {"noop": noop, "warm": warm, "delta": delta}
    return {
        f"scaling, {name}, {count}": Case(step, by("sync"), made=is_made, still=name == "noop", size=True)
        for name, step in steps.items()
    }
