"""Link entries of the store into a tree, several at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from isolate.environment.link import DamagedEntry, FileConflict, Linker
from isolate.errors import file_conflict
from isolate.parallel.map import parallel_map
from isolate.store.layout import bytecode_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from isolate.environment.build_context import LinkOptions
    from isolate.environment.records import Installed
    from isolate.errors import InvalidDistribution
    from isolate.plan import Target
    from isolate.store.entry import Entry
    from isolate.store.store import Store


class Linked(NamedTuple):
    """What `StoreLinker.link` did: the distributions by name, and the files that it left where they were."""

    installed: dict[str, Installed]
    unchanged: set[str]


class _LinkedEntry(NamedTuple):
    installed: Installed
    unchanged: Collection[str]


@dataclass(frozen=True, kw_only=True)
class StoreLinker:
    """Links entries of `store` into trees; `python` is the interpreter that scripts in them name."""

    store: Store
    python: str
    options: LinkOptions

    def link(
        self,
        targets: Collection[Target],
        tree: Path,
        built: Mapping[str, Entry] | None = None,
        unchanged_files: Callable[[Entry], Collection[str]] = lambda _: (),
    ) -> Linked:
        """Link *targets* into *tree*: source trees from *built* (by name), others from the store.

        *unchanged_files* returns the files of an entry that the environment already has; they are not linked.
        Raises `DamagedEntry`, which lists every damaged entry, and `InvalidDistribution` if two distributions install
        the same file.
        """
        linker = self._linker(tree)
        entries = _Entries(self.store, built or {})

        def link_target(target: Target) -> _LinkedEntry | DamagedEntry:
            try:
                entry = entries.get(target)
                unchanged = unchanged_files(entry)
                installed = linker.link_entry(entry, unchanged)
                self._link_bytecode(linker, target.key)
            except FileConflict as conflict:
                raise _conflict_error(str(conflict), target, targets, entries) from None
            except DamagedEntry as damaged:  # go on, so that all damaged entries are fetched again together
                return damaged
            return _LinkedEntry(installed._replace(key=target.key), unchanged)

        largest_first = sorted(targets, key=lambda target: self.store.size_hint(target.key), reverse=True)
        linked = _without_damage(parallel_map(link_target, largest_first))
        return Linked(
            {entry.installed.name: entry.installed for entry in linked},
            {path for entry in linked for path in entry.unchanged},
        )

    def link_compiled(self, key: str, tree: Path) -> None:
        """Link the bytecode of the entry *key* into *tree*, if the store has it."""
        if (compiled := self.store.entry(bytecode_key(key))) is not None:
            self._linker(tree).link_files(compiled)

    def _link_bytecode(self, linker: Linker, key: str) -> None:
        compiled_key = bytecode_key(key)
        if not self.options.bytecode or not self.store.has(compiled_key):
            return
        if (compiled := self.store.entry(compiled_key)) is None:
            raise DamagedEntry(f"{compiled_key} cannot be read", key=compiled_key)
        linker.link_files(compiled)

    def _linker(self, tree: Path) -> Linker:
        return Linker(tree, python=self.python, link_mode=self.options.mode, verify_hashes=self.options.verify_hashes)


class _Entries:
    """Finds the entry of a target, among those just built or in the store."""

    def __init__(self, store: Store, built: Mapping[str, Entry]) -> None:
        self._store = store
        self._built = built

    def get(self, target: Target) -> Entry:
        if (built := self._built.get(target.name)) is not None:
            return built
        entry = self._store.entry(target.key)
        if entry is None:
            raise DamagedEntry("its manifest is missing, or is not the one that was published", key=target.key)
        if differences := entry.differences(target.locked):
            raise DamagedEntry(f"it was made from another artifact: {differences[0]}", key=target.key)
        return entry


def _conflict_error(path: str, target: Target, targets: Collection[Target], entries: _Entries) -> InvalidDistribution:
    """Return the error for the file *path* of *target*, which another of *targets* or the template has too."""
    return file_conflict(path, target.name, next(_owners(path, target, targets, entries), "the environment itself"))


def _owners(path: str, target: Target, targets: Collection[Target], entries: _Entries) -> Iterator[str]:
    for other in targets:
        if other.name != target.name:
            manifest = entries.get(other).manifest
            if any(path == file.path for file in manifest.files):
                yield manifest.name


def _without_damage(results: Sequence[_LinkedEntry | DamagedEntry]) -> list[_LinkedEntry]:
    """Return *results* if no entry is damaged; else raise the first `DamagedEntry`, which lists the others."""
    damaged = [result for result in results if isinstance(result, DamagedEntry)]
    if damaged:
        damaged[0].others = tuple(damaged[1:])
        raise damaged[0]
    return [result for result in results if not isinstance(result, DamagedEntry)]
