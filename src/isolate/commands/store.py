"""`isolate store`: where it is, how large, whether it is sound, and what nobody needs any more."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from isolate import fs
from isolate.environment.history import read_history
from isolate.environment.records import read_state
from isolate.formatting import count, in_units
from isolate.interpreters.interpreter import Interpreter
from isolate.outcome import Outcome
from isolate.store.environments import registered_environments, unregister_environment
from isolate.store.layout import BYTECODE_SUFFIX, entry_key
from isolate.store.manifest import digest_of_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from isolate.session import Session
    from isolate.store.store import Entry


def path(session: Session) -> Outcome:
    """Return where the store is."""
    return Outcome(command="store path", lines=(str(session.store.root),), facts={"path": str(session.store.root)})


def size(session: Session) -> Outcome:
    """Return how many bytes the store has on disk, a file that environments share counted once."""
    total, held = 0, 0
    for folder, _, files in os.walk(session.store.root):
        for name in files:
            status = os.lstat(os.path.join(folder, name))
            total += status.st_blocks * 512
            held += status.st_blocks * 512 if status.st_nlink > 1 else 0
    number = len(list(session.store.entry_keys()))
    line = f"{in_units(total)} in {count(number, 'entry', 'entries')}, {in_units(held)} of it shared"
    return Outcome(command="store size", lines=(line,), facts={"bytes": total, "shared": held, "entries": number})


def verify(session: Session) -> Outcome:
    """Hash every file of every entry; throw out the entries that are not as they were published, and say which."""
    store, wrong = session.store, []
    with store.exclusive_access(session.waiting_for_store):
        every = sorted(store.entry_keys())
        for number, key in enumerate(every, start=1):
            session.progress.working(f"checking {count(len(every), 'entry', 'entries')}", f"{number} of {len(every)}")
            entry = store.entry(key)
            damaged = ["manifest.json"] if entry is None else list(_damaged(entry))
            if damaged:
                wrong.append(
                    f"{key}: {damaged[0]} is not as it was" + (f", and {len(damaged) - 1} more" if damaged[1:] else "")
                )
                store.discard(key)
    lines = (
        [*wrong, "thrown out; the next sync fetches them again"] if wrong else ["every entry is as it was published"]
    )
    return Outcome(command="store verify", exit_code=1 if wrong else 0, lines=tuple(lines), facts={"damaged": wrong})


def _damaged(entry: Entry) -> Iterator[str]:
    for file in entry.manifest.files:
        try:
            is_sound = digest_of_file(entry.files / file.path) == file.sha256
        except OSError:
            is_sound = False
        if not is_sound:
            yield file.path


def gc(session: Session) -> Outcome:
    """Delete the entries that no environment uses, now or in what it can go back to."""
    store = session.store
    with store.exclusive_access(session.waiting_for_store):
        used = set()
        for venv in registered_environments(store):
            keys = set(_used(venv))
            if not keys:
                unregister_environment(store, venv)
            used |= keys
        unused = sorted(key for key in store.entry_keys() if key.removesuffix(BYTECODE_SUFFIX) not in used)
        freed = sum(_bytes(store.paths.entry(key)) for key in unused)
        for key in unused:
            store.discard(key)
        fs.delete_tree(store.paths.metadata)  # it is learnt again where it is of use
    what = count(len(unused), "entry", "entries")
    lines = (f"deleted {what}, {in_units(freed)}",)
    return Outcome(command="store gc", lines=lines, facts={"deleted": unused, "bytes": freed})


def _used(venv: Path) -> Iterator[str]:
    state = read_state(venv)
    if state is None:
        return
    for one in state.installed.values():
        yield one.key
    for generation in read_history(venv):
        compat_tag = Interpreter.from_dict(generation.interpreter).compat_tag
        for locked in generation.locked:
            if locked.directory is None:
                yield entry_key(compat_tag, locked.name, locked.version, locked.source_id)


def _bytes(folder: Path) -> int:
    return sum(file.lstat().st_blocks * 512 for file in folder.rglob("*") if file.lstat().st_nlink == 1)
