"""What each sync changed, and what the environment held afterwards: the last ten, inside the environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from isolate.bounded_read import parse_json
from isolate.environment.records import UNREADABLE, generation_numbers, generation_path
from isolate.interpreters.interpreter import Interpreter
from isolate.locked import LockedDistribution, Selection
from isolate.named import Named
from isolate.signed_record import read_signed, signed
from isolate.store.keys import EntryKeys
from isolate.store.layout import is_key
from isolate.store.manifest import NAME

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KIND = "generation"
MAX_GENERATIONS = 10
MAX_TIME = 253_402_300_800
"""The end of the year 9999, in seconds since 1970: no later time can be shown."""


class Generation(NamedTuple):
    """What an environment was after one sync.

    `time` is in seconds since 1970. `changes` are the lines that the sync printed. `lock` is the content of the lock,
    `interpreter` describes the Python. `named` is what was named on the command line.
    """

    number: int
    time: float
    command: str
    changes: tuple[str, ...]
    selection: Selection
    interpreter: Mapping[str, Any]
    locked: tuple[LockedDistribution, ...]
    lock: str
    named: Named = Named()

    @property
    def path(self) -> str:
        """Return the path of the record, relative to the environment."""
        return generation_path(self.number)

    def to_record(self, venv: Path) -> bytes:
        """Return the content of the record's file in the environment *venv*, with its code."""
        table = {
            **self._asdict(),
            "selection": self.selection.to_dict(),
            "interpreter": dict(self.interpreter),
            "locked": [{**dist._asdict(), "table": dict(dist.table)} for dist in self.locked],
        }
        table["named"] = self.named.to_dict()
        if not table["named"]:
            del table["named"]
        return signed(KIND, f"{venv}/{self.path}", json.dumps(table).encode())


def read_history(venv: Path) -> list[Generation]:
    """Return the recorded generations of the environment *venv*, the latest first, without unverified ones."""
    generations = (_read_generation(venv, number) for number in generation_numbers(venv))
    return [generation for generation in generations if generation is not None]


def _read_generation(venv: Path, number: int) -> Generation | None:
    try:
        path = f"{venv}/{generation_path(number)}"
        table = parse_json(read_signed(KIND, path), path)
        table["selection"] = Selection.from_dict(table["selection"])
        table["named"] = Named.from_dict(table.get("named", {}))
        table["locked"] = tuple(map(LockedDistribution.from_dict, table["locked"]))
        generation = Generation(**{**table, "changes": tuple(table["changes"])})
        interpreter = Interpreter.from_dict(generation.interpreter)
        return generation if generation.number == number and _is_valid(generation, interpreter) else None
    except UNREADABLE:
        return None


def _is_valid(generation: Generation, interpreter: Interpreter) -> bool:
    """Return whether every field has its type, and the keys of the distributions are keys of the store."""
    texts = (generation.command, generation.lock, *generation.changes)
    return (
        all(isinstance(text, str) for text in texts)
        and isinstance(generation.time, int | float)
        and 0 <= generation.time < MAX_TIME
        and all(_is_valid_distribution(dist, interpreter) for dist in generation.locked)
    )


def _is_valid_distribution(dist: LockedDistribution, interpreter: Interpreter) -> bool:
    if not (isinstance(dist.version, str | None) and isinstance(dist.source_id, str) and isinstance(dist.table, dict)):
        return False
    key = EntryKeys(interpreter.compat_tag).key(dist)
    return NAME.fullmatch(dist.name) is not None and (dist.directory is not None or is_key(key)) and _is_complete(dist)


def _is_complete(dist: LockedDistribution) -> bool:
    """Return whether the table of *dist* says where its artifact is, if it comes from one."""
    if not any(kind in dist.table for kind in ("wheels", "sdist", "archive")):
        return True
    artifact = dist.artifact or {}
    return isinstance(artifact.get("url") or artifact.get("path"), str) and isinstance(artifact.get("hashes"), dict)
