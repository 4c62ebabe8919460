"""Read and forge the records of an environment: with a valid code, without one, or as another program would."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from isolate.signed_record import FORMAT, content_of, signed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def record_text(record: Path) -> str:
    """Return the content of *record*, without its code."""
    return content_of(record.read_bytes()).decode()


def record_table(record: Path) -> Any:
    """Return the content of *record*, which is JSON."""
    return json.loads(record_text(record))


def kind_of(record: Path) -> str:
    """Return the kind of *record*, as its first line says."""
    return record.read_bytes().removeprefix(FORMAT).split()[1].decode()


def write_signed(record: Path, text: str, kind: str | None = None) -> None:
    """Replace the content of *record* by *text*, with a valid code."""
    content = signed(kind or kind_of(record), str(record), text.encode())
    if record.exists():
        record.chmod(0o644)
    record.write_bytes(content)


def resign(record: Path, change: Callable[[Any], object]) -> None:
    """Let *change* alter the table in *record*, and write it back with a valid code."""
    table = record_table(record)
    change(table)
    write_signed(record, json.dumps(table))


def unsign(venv: Path) -> None:
    """Take the codes from all records of the environment *venv*, as an earlier isolate would have written them."""
    for record in (venv / ".isolate").rglob("*"):
        if record.is_file() and "manifests" not in record.parts:
            content = content_of(record.read_bytes())
            record.chmod(0o644)
            record.write_bytes(content)
