"""The outcome of a command as a value, and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Outcome(NamedTuple):
    """What a command came to: `lines` for people, `facts` for machines, the exit code for both."""

    command: str
    exit_code: int = 0
    facts: Mapping[str, object] = {}
    lines: tuple[str, ...] = ()


def as_json(outcome: Outcome) -> str:
    """Return *outcome* as a JSON document. `isolate` is the version of its form."""
    import json

    text = json.dumps({"isolate": 1, **document(outcome)}, indent=2, sort_keys=True, ensure_ascii=False)
    return text.encode(errors="backslashreplace").decode()  # JSON escapes what is no Unicode as Python does


def document(outcome: Outcome) -> dict[str, object]:
    """Return *outcome* as JSON can hold it."""
    return {"command": outcome.command, "exit_code": outcome.exit_code, **outcome.facts}
