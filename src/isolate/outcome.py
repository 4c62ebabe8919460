"""The outcome of a command as a value, and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from isolate.redaction import redact


class Outcome(NamedTuple):
    """The result of a command: `lines` for people, `facts` for programs, the exit code for both."""

    command: str
    exit_code: int = 0
    facts: Mapping[str, object] = {}
    lines: tuple[str, ...] = ()


def as_json(outcome: Outcome) -> str:
    """Return *outcome* as a JSON document. Its field `isolate` is the version of the schema."""
    import json

    content = _redacted({"isolate": 1, **document(outcome)})
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)
    if text.replace("\n", "").isprintable():
        return text
    # What is not printable becomes an escape: the control characters that JSON allows, marks that reorder text, and
    # lone surrogates, from a file name that is not UTF-8.
    return "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in text)


def _redacted(value: object) -> object:
    """Return *value* without the credentials of URLs in it."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {_redacted(key): _redacted(item) for key, item in value.items()}
    return [*map(_redacted, value)] if isinstance(value, list | tuple) else value


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def document(outcome: Outcome) -> dict[str, object]:
    """Return *outcome* as a dictionary for JSON."""
    return {"command": outcome.command, "exit_code": outcome.exit_code, **outcome.facts}
