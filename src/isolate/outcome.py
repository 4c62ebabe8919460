"""The outcome of a command as a value, and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Outcome(NamedTuple):
    """The result of a command: `lines` for people, `facts` for programs, the exit code for both."""

    command: str
    exit_code: int = 0
    facts: Mapping[str, object] = {}
    lines: tuple[str, ...] = ()


def as_json(outcome: Outcome) -> str:
    """Return *outcome* as a JSON document. Its field `isolate` is the version of the schema."""
    import json

    text = json.dumps({"isolate": 1, **document(outcome)}, indent=2, sort_keys=True, ensure_ascii=False)
    # Lone surrogates, from a file name that is not UTF-8, become the escapes that JSON shares with Python.
    return text.encode(errors="backslashreplace").decode()


def document(outcome: Outcome) -> dict[str, object]:
    """Return *outcome* as a dictionary for JSON."""
    return {"command": outcome.command, "exit_code": outcome.exit_code, **outcome.facts}
