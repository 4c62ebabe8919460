"""Limits for what a repository may declare: far beyond any real one, and low enough for an answer within seconds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

MAX_LINE = 10_000
"""Characters of a requirement or of a line with options, without hashes."""

MAX_DEPTH = 100
"""Levels of includes, of groups within groups, and of tables and lists within each other."""

MAX_REQUIREMENTS = 20_000
"""Requirements of an application, those that extras and groups include counted each time, and lines with options."""

LONG_NUMBER = re.compile(r"\d{1001}")
"""A number that no version has. Python refuses to convert such a number, or takes very long."""

MAX_SHOWN = 200
"""Characters of a line that a message shows."""


def check_length(text: str) -> None:
    """Raise `ValueError` if *text*, a line without hashes, is too long or contains a number that is too long."""
    if len(text) > MAX_LINE:
        raise ValueError(f"it has more than {MAX_LINE} characters")
    if LONG_NUMBER.search(text):
        raise ValueError("it contains a number with more than 1000 digits")


def parsed_requirement(text: str) -> Requirement:
    """Return the requirement in *text*; raise `ValueError` if it is not valid or exceeds a limit."""
    from packaging.requirements import Requirement  # a sync of many with nothing to do reads no requirement

    check_length(text)
    try:
        return Requirement(text)
    except RecursionError:
        raise ValueError("its marker is nested too deep") from None


def parsed_specifier(text: str) -> SpecifierSet:
    """Return the version specifier in *text*; raise `ValueError` if it is not valid or exceeds a limit."""
    from packaging.specifiers import SpecifierSet

    check_length(text)
    return SpecifierSet(text)


def shortened(text: str) -> str:
    """Return *text* as a message shows it: its beginning alone if it is long."""
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def check_depth(table: Mapping[str, Any]) -> None:
    """Raise `ValueError` if tables and lists are nested too deep in *table*."""
    level: list[Any] = [table]
    for _ in range(MAX_DEPTH):
        values = [[*value.values()] if isinstance(value, dict) else value for value in level]
        level = [item for value in values for item in value if isinstance(item, (dict, list))]
        if not level:
            return
    raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
