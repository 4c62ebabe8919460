"""What each sync changed, and what the environment held afterwards: the last ten, inside the environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from isolate.environment.records import HISTORY
from isolate.locked import LockedDistribution, Selection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Generation(NamedTuple):
    """One state that an environment was in.

    `time` is in seconds since 1970; `changes` are the lines that were said; `lock` is the text of the lock,
    `interpreter` the facts of its Python.
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
        """Return where the record lies, below the environment."""
        return f"{HISTORY}/{self.number}.json"

    def to_json(self) -> bytes:
        """Return the record as its file holds it."""
        table = {
            **self._asdict(),
            "selection": self.selection.to_dict(),
            "interpreter": dict(self.interpreter),
            "locked": [{**one._asdict(), "table": dict(one.table)} for one in self.locked],
        }
        return json.dumps(table).encode()


def read_history(venv: Path) -> list[Generation]:
    """Return what is remembered about the environment *venv*, the latest first; what cannot be read is passed over."""
    found = []
    for path in (venv / HISTORY).glob("*.json"):
        try:
            table = json.loads(path.read_bytes())
            table["selection"] = Selection.from_dict(table["selection"])
            table["locked"] = tuple(map(LockedDistribution.from_dict, table["locked"]))
            found.append(Generation(**{**table, "changes": tuple(table["changes"])}))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return sorted(found, key=lambda one: one.number, reverse=True)


def record_paths(venv: Path) -> list[str]:
    """Return where the records about the environment *venv* lie, the latest first, by path below it."""
    found = [path for path in (venv / HISTORY).glob("*.json") if path.stem.isdigit()]
    return [str(path.relative_to(venv)) for path in sorted(found, key=lambda path: int(path.stem), reverse=True)]


def next_number(paths: Sequence[str]) -> int:
    """Return the number of the generation that comes after those in *paths*, the latest first."""
    return int(paths[0].rpartition("/")[2].removesuffix(".json")) + 1 if paths else 1
