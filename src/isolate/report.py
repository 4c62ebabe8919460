"""Outcomes as values; their text, their JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol


class Outcome(NamedTuple):
    """What a command came to: `lines` for people, `facts` for machines, the exit code for both."""

    command: str
    exit_code: int = 0
    facts: Mapping[str, object] = {}
    lines: tuple[str, ...] = ()


def as_json(outcome: Outcome) -> str:
    """Return *outcome* as a JSON document. `isolate` is the version of its form."""
    import json  # noqa: PLC0415 - people ask for words

    text = json.dumps({"isolate": 1, **document(outcome)}, indent=2, sort_keys=True, ensure_ascii=False)
    return text.encode(errors="backslashreplace").decode()  # JSON escapes what is no Unicode as Python does


def document(outcome: Outcome) -> dict[str, object]:
    """Return *outcome* as JSON can hold it."""
    return {"command": outcome.command, "exit_code": outcome.exit_code, **outcome.facts}


class Progress(Protocol):
    """Hears what long work is at. Whoever works never prints."""

    def say(self, line: str) -> None:
        """Take note of *line*, which a user should read now."""

    def working(self, text: str) -> None:
        """Take note that *text* is what is being done."""

    def detail(self, line: str) -> None:
        """Take note of *line*, which only somebody who looks for a cause wants to read."""


class Silent:
    """Progress that nobody wants to see."""

    def say(self, line: str) -> None:
        """Do nothing."""

    def working(self, text: str) -> None:
        """Do nothing."""

    def detail(self, line: str) -> None:
        """Do nothing."""


def duration(seconds: float) -> str:
    """Return a duration as people read it: `0.03 s`, `4.2 s`, `2 min 5 s`."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return `1 package`, `2 packages`."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


STEP = 1024
"""How many of one unit make one of the next."""


def in_units(number: float) -> str:
    """Return a number of bytes as people read it: `3.4 MB`."""
    for unit in ("bytes", "kB", "MB"):
        if number < STEP:
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= STEP
    return f"{number:.1f} GB"
