"""`isolate store`: show where the store is and how large, verify it, and remove what no environment uses."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from isolate import fs
from isolate.environment.history import read_history
from isolate.environment.records import claimed_state, read_state
from isolate.formatting import count, in_units
from isolate.interpreters.interpreter import Interpreter
from isolate.outcome import Outcome
from isolate.permissions import is_unsafe_file
from isolate.store.environments import registered_environments, unregister_environment
from isolate.store.keys import EntryKeys, artifact_key
from isolate.store.manifest import digest_of_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from isolate.session import Session
    from isolate.store.entry import Entry
    from isolate.store.store import Store

BLOCK_SIZE = 512
"""The unit of `st_blocks`, in bytes (`man 3type stat`)."""


def path(session: Session) -> Outcome:
    """Return where the store is, whether it exists or not."""
    root = str(session.lazy_store.paths.root)
    return Outcome(command="store path", lines=(root,), facts={"path": root})


def size(session: Session) -> Outcome:
    """Return how many bytes the store has on disk, and how many of them are in files that environments share.

    A file counts once, whether several entries or several environments have it.
    """
    store = session.store_to_read
    inodes = _inodes([store.root])
    total = sum(inode.size for inode in inodes)
    shared = sum(inode.size for inode in inodes if inode.links > inode.found)
    number = len(list(store.entry_keys()))
    line = f"{in_units(total)} in {count(number, 'entry', 'entries')}, {in_units(shared)} of it shared"
    return Outcome(command="store size", lines=(line,), facts={"bytes": total, "shared": shared, "entries": number})


class _Inode(NamedTuple):
    """A file on disk: its `size` in bytes, all its hard `links`, and how many of them were `found`."""

    size: int
    links: int
    found: int


def _inodes(directories: Iterable[Path]) -> list[_Inode]:
    """Return the files below *directories*, each once."""
    inodes: dict[tuple[int, int], _Inode] = {}
    for directory in directories:
        for parent, _, names in os.walk(directory):
            for name in names:
                status = os.lstat(os.path.join(parent, name))
                key = (status.st_dev, status.st_ino)
                found = inodes[key].found + 1 if key in inodes else 1
                inodes[key] = _Inode(status.st_blocks * BLOCK_SIZE, status.st_nlink, found)
    return list(inodes.values())


def verify(session: Session) -> Outcome:
    """Hash every file of every entry, and remove the entries with a damaged file; exit code 1 if there are any.

    Nothing is removed from a read-only store.
    """
    store, damaged_entries = session.store_to_read, list[str]()
    with store.exclusive_access(session.waiting_for_users):
        keys = sorted(store.entry_keys())
        for number, key in enumerate(keys, start=1):
            session.progress.working(f"verifying {count(len(keys), 'entry', 'entries')}", f"{number} of {len(keys)}")
            entry = store.entry(key)
            files = ["manifest.json"] if entry is None else list(_damaged_files(entry))
            if files:
                more = f" (and {count(len(files) - 1, 'more file')})" if files[1:] else ""
                damaged_entries.append(f"{key}: {files[0]} is damaged{more}")
                if not store.is_read_only:
                    store.discard(key)
    removed = "not removed: the store is read-only" if store.is_read_only else "removed; the next sync re-fetches them"
    summary = removed if damaged_entries else f"OK: {count(len(keys), 'entry', 'entries')}"
    return Outcome(
        command="store verify",
        exit_code=1 if damaged_entries else 0,
        lines=(*damaged_entries, summary),
        facts={"damaged": damaged_entries},
    )


def _damaged_files(entry: Entry) -> Iterator[str]:
    for file in entry.manifest.files:
        try:
            path = entry.files / file.path
            is_intact = digest_of_file(path) == file.sha256 and not is_unsafe_file(os.lstat(path))
        except OSError:
            is_intact = False
        if not is_intact:
            yield file.path


def gc(session: Session) -> Outcome:
    """Remove the entries that no environment uses, neither now nor after a rollback; before, unused ones of scripts."""
    store = session.store_to_clean
    with store.exclusive_access(session.waiting_for_users):
        scripts = _delete_unused_scripts(store)
        used = set()
        for venv in registered_environments(store):
            keys = set(_used_keys(venv))
            if not keys:
                unregister_environment(store, venv)
            used |= set(map(artifact_key, keys))
        unused = sorted(key for key in store.entry_keys() if artifact_key(key) not in used)
        # Only a file without a link anywhere else gives its bytes back.
        files = _inodes(store.paths.entry(key) for key in unused)
        freed = sum(inode.size for inode in files if inode.links == inode.found)
        for key in unused:
            store.discard(key)
        for cache in (store.paths.metadata, store.paths.wheel_caches):  # they fill again
            fs.delete_tree(cache)
    what = count(len(unused), "entry", "entries")
    lines = (*(f"removed the environment of {path}" for path in scripts), f"removed {what}, {in_units(freed)}")
    facts = {"deleted": unused, "bytes": freed, "scripts": scripts}
    return Outcome(command="store gc", lines=lines, facts=facts)


def _delete_unused_scripts(store: Store) -> list[str]:
    from isolate.operations.script_environment import delete_unused

    return delete_unused(store)


def _used_keys(venv: Path) -> Iterator[str]:
    """Yield the keys of the entries that the environment *venv* uses, or claims to use: that only keeps more."""
    state = read_state(venv) or claimed_state(venv)
    if state is None:
        return
    for dist in state.installed.values():
        yield dist.key
    for generation in read_history(venv):
        interpreter = Interpreter.from_dict(generation.interpreter)
        for locked in generation.locked:
            if locked.directory is None:
                yield EntryKeys(interpreter.compat_tag).key(locked)
