"""Link entries of the store into a tree, several at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from isolate.environment.link import DamagedEntry, Linker
from isolate.file_owners import NOTHING
from isolate.parallel.map import parallel_map
from isolate.store.layout import bytecode_key
from isolate.store.manifest import digests_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from pathlib import Path

    from isolate.environment.build_context import LinkOptions
    from isolate.environment.installed import Installed
    from isolate.file_owners import Overridden
    from isolate.plan import Target
    from isolate.store.entry import Entry
    from isolate.store.store import Store


NONE_OVERRIDDEN: Mapping[str, Overridden] = {}
"""Of distributions that share no file."""


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
        *,
        overridden: Mapping[str, Overridden] = NONE_OVERRIDDEN,
    ) -> Linked:
        """Link *targets* into *tree*: source trees from *built* (by name), others from the store.

        *unchanged_files* returns the files of an entry that the environment already has; they are not linked, and nor
        are the *overridden* files of each distribution. Raises `DamagedEntry`, which lists every damaged entry, and
        `FileConflict` if a file is in the way.
        """
        linker = self._linker(tree)
        entries = _Entries(self.store, built or {})

        def link_target(target: Target) -> _LinkedEntry | DamagedEntry:
            files_of_others = overridden.get(target.name, NOTHING)
            try:
                entry = entries.get(target)
                unchanged = unchanged_files(entry)
                installed = linker.link_entry(entry, unchanged, files_of_others)
                self._link_bytecode(linker, target.key, files_of_others)
            except DamagedEntry as damaged:  # go on, so that all damaged entries are fetched again together
                return damaged
            return _LinkedEntry(installed._replace(key=target.key), unchanged)

        largest_first = sorted(targets, key=lambda target: self.store.size_hint(target.key), reverse=True)
        linked = _without_damage(parallel_map(link_target, largest_first))
        return Linked(
            {entry.installed.name: entry.installed for entry in linked},
            {path for entry in linked for path in entry.unchanged},
        )

    def digests(self, targets: Iterable[Target], built: Mapping[str, Entry]) -> dict[str, dict[str, str]]:
        """Return the sha256 (hex) of each file of each of *targets*, by name and path; raises `DamagedEntry`."""
        entries = _Entries(self.store, built)
        return {target.name: digests_of(entries.get(target).manifest) for target in targets}

    def link_compiled(self, key: str, tree: Path) -> None:
        """Link the bytecode of the entry *key* into *tree*, if the store has it."""
        if (compiled := self.store.entry(bytecode_key(key))) is not None:
            self._linker(tree).link_bytecode(compiled)

    def _link_bytecode(self, linker: Linker, key: str, overridden: Overridden) -> None:
        compiled_key = bytecode_key(key)
        if not self.options.bytecode or not self.store.has(compiled_key):
            return
        if (compiled := self.store.entry(compiled_key)) is None:
            raise DamagedEntry(f"{compiled_key} cannot be read", key=compiled_key)
        linker.link_bytecode(compiled, overridden)

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


def _without_damage(results: Sequence[_LinkedEntry | DamagedEntry]) -> list[_LinkedEntry]:
    """Return *results* if no entry is damaged; else raise the first `DamagedEntry`, which lists the others."""
    damaged = [result for result in results if isinstance(result, DamagedEntry)]
    if damaged:
        damaged[0].others = tuple(damaged[1:])
        raise damaged[0]
    return [result for result in results if not isinstance(result, DamagedEntry)]
