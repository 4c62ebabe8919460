"""What distributions in the store state about themselves: the dependencies in their METADATA."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isolate.bounded_read import MAX_RECORD_BYTES, read_bounded
from isolate.store.layout import entry_files

if TYPE_CHECKING:
    from isolate.store.store import Store

FIELD = "requires-dist:"


def stated_requirements(store: Store, key: str) -> tuple[str, ...] | None:
    """Return the `Requires-Dist` lines of the distribution in the entry *key*; None if they cannot be read."""
    path = store.find_entry(key)
    if path is None:
        return None
    try:
        file = next(entry_files(path).glob("lib/*/site-packages/*.dist-info/METADATA"))
        return requirements_in(read_bounded(file, MAX_RECORD_BYTES).decode(errors="replace"))
    except (OSError, StopIteration):
        return None


def requirements_in(metadata: str) -> tuple[str, ...]:
    """Return the `Requires-Dist` lines of core *metadata*, which ends at the first empty line."""
    header = metadata.replace("\r\n", "\n").partition("\n\n")[0]
    lines = header.replace("\n ", " ").replace("\n\t", " ").split("\n")
    return tuple(line[len(FIELD) :].strip() for line in lines if line.lower().startswith(FIELD))
