"""What each sync changed, and what the environment held afterwards: the last ten, inside the environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from isolate.environment.records import generation_numbers, generation_path
from isolate.locked import LockedDistribution, Selection

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAX_GENERATIONS = 10


class Generation(NamedTuple):
    """What an environment was after one sync.

    `time` is in seconds since 1970. `changes` are the lines that the sync printed. `lock` is the content of the lock,
    `interpreter` describes the Python.
    """

    number: int
    time: float
    command: str
    changes: tuple[str, ...]
    selection: Selection
    interpreter: Mapping[str, Any]
    locked: tuple[LockedDistribution, ...]
    lock: str

    @property
    def path(self) -> str:
        """Return the path of the record, relative to the environment."""
        return generation_path(self.number)

    def to_json(self) -> bytes:
        """Return the content of the record's file."""
        table = {
            **self._asdict(),
            "selection": self.selection.to_dict(),
            "interpreter": dict(self.interpreter),
            "locked": [{**dist._asdict(), "table": dict(dist.table)} for dist in self.locked],
        }
        return json.dumps(table).encode()


def read_history(venv: Path) -> list[Generation]:
    """Return the recorded generations of the environment *venv*, the latest first, without the unreadable ones."""
    generations = (_read_generation(venv / generation_path(number)) for number in generation_numbers(venv))
    return [generation for generation in generations if generation is not None]


def _read_generation(path: Path) -> Generation | None:
    try:
        table = json.loads(path.read_bytes())
        table["selection"] = Selection.from_dict(table["selection"])
        table["locked"] = tuple(map(LockedDistribution.from_dict, table["locked"]))
        return Generation(**{**table, "changes": tuple(table["changes"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None
