"""Write keys of `[tool.isolate]` into the text of a `pyproject.toml`, and leave the rest of it as it is.

One table with a few keys needs no library that keeps the format of every TOML: the result is parsed and compared, so a
form that this module does not know is refused, never damaged.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import tomli_w

from isolate.declarations.toml_file import parse_toml

if TYPE_CHECKING:
    from collections.abc import Mapping

    Values = Mapping[str, str | list[str]]

HEADER = re.compile(r"\s*\[\s*tool\s*\.\s*isolate\s*\]\s*(#.*)?")
ANY_HEADER = re.compile(r"\s*\[")


def with_settings(text: str, values: Values) -> str:
    """Return *text*, valid TOML, with *values* as keys of `[tool.isolate]`.

    Raises `ValueError` if the table is written in a form in which its keys cannot be replaced.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = [line.rstrip("\r") for line in text.split("\n")]
    start = next((number for number, line in enumerate(lines) if HEADER.fullmatch(line)), None)
    if start is None:
        while lines and not lines[-1].strip():
            lines.pop()
        lines += [*([""] if lines else []), "[tool.isolate]", ""]
        start = len(lines) - 2
    for key, value in values.items():
        lines = _with_key(lines, start, key, _assignment(key, value))
    edited = newline.join(lines)
    if not _is(edited, _expected(text, values)):
        raise ValueError("the table is not written as [tool.isolate] with one key after another")
    return edited


def _is(text: str, table: dict[str, object]) -> bool:
    try:
        return parse_toml(text) == table
    except ValueError:
        return False


def as_table(values: Values) -> tuple[str, ...]:
    """Return the lines of a table `[tool.isolate]` with *values*."""
    return ("[tool.isolate]", *(line for key, value in values.items() for line in _assignment(key, value)))


def _assignment(key: str, value: str | list[str]) -> list[str]:
    return tomli_w.dumps({key: value}).rstrip("\n").split("\n")


def _with_key(lines: list[str], header: int, key: str, assignment: list[str]) -> list[str]:
    """Return *lines* with *assignment* in place of that of *key* below the *header*, else at the end of the table."""
    after = (number for number in range(header + 1, len(lines)) if ANY_HEADER.match(lines[number]))
    assigned = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*=""")
    first = next((number for number in range(header + 1, len(lines)) if assigned.match(lines[number])), None)
    end = next((number for number in after if first is None or number < first), len(lines))
    if first is not None and first < end:
        return [*lines[:first], *assignment, *lines[_end_of_value(lines, first) :]]
    last = max(number for number in range(header, end) if lines[number].strip())
    return [*lines[: last + 1], *assignment, *lines[last + 1 :]]


def _end_of_value(lines: list[str], first: int) -> int:
    """Return the number of the line after the assignment that begins in line *first*."""
    for end in range(first + 1, len(lines) + 1):
        try:
            parse_toml("\n".join(lines[first:end]))
        except ValueError:
            continue
        return end
    return first + 1


def _expected(text: str, values: Values) -> dict[str, object]:
    table = parse_toml(text)
    tool = table.setdefault("tool", {})
    tool["isolate"] = {**tool.get("isolate", {}), **values}
    return table
