"""Bytecode, compiled once for each entry and kept in an entry of its own beside it.

An entry is never written to after it is published; so its bytecode is another entry, linked along with it. The files
are those that Python itself would write below `__pycache__` (PEP 3147), valid by time and size of their source; RECORD
does not list them, as it does not list what Python writes.
"""

from __future__ import annotations

import contextlib
import os
import struct
import sys
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING

import pip as own_pip
from isolate.errors import IsolateError
from isolate.store.layout import SUFFIX, bytecode_key
from isolate.store.manifest import File, Manifest, digest_of_file, write_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from isolate.interpreters.interpreter import Interpreter
    from isolate.pip.runner import Pip
    from isolate.store.layout import Entry, Store


def compile_missing(store: Store, keys: Sequence[str], pip: Callable[[], Pip], *, on_wait: Callable[[], None]) -> None:
    """See to it that the store has the bytecode of each entry of *keys*, compiled on all cores by *pip*'s interpreter.

    A file that does not compile (it may be meant for another Python) is left out, as pip leaves it out.
    """
    if all(store.has(bytecode_key(key)) for key in keys):
        return
    worker = pip()
    with store.writing(on_wait), store.scratch() as scratch:
        missing = [entry for key in keys if not store.has(bytecode_key(key)) and (entry := store.entry(key))]
        for number, entry in enumerate(missing):
            _link_sources(entry, scratch / "sources" / str(number))
        _compile(worker, scratch / "sources")
        for number, entry in enumerate(missing):
            _publish(store, entry, scratch / "sources" / str(number), scratch / str(number))


def compile_seed(store: Store, key: str, interpreter: Interpreter) -> None:
    """Let the store have the bytecode of the pip *key*, if our own is the same and was compiled for such a Python.

    A pip without bytecode takes four times as long to start.
    """
    ours = (sys.implementation.name, sys.version_info[:2])
    theirs = (interpreter.implementation, tuple(int(part) for part in interpreter.short.split(".")))
    if ours == theirs and not interpreter.free_threaded and f"/pip-{own_pip.__version__}-" in key:
        take_over(store, key, Path(own_pip.__file__).parent.parent)


def take_over(store: Store, key: str, site: Path) -> None:
    """Make the bytecode of the modules in the directory *site* that of the entry *key*, which holds the same modules.

    Bytecode names the time and the size of its source (PEP 552); all else in it is the same wherever the source lies.
    Nothing is taken over unless all of it is there and valid.
    """
    entry = store.entry(key)
    if entry is None or store.has(bytecode_key(key)):
        return
    sources = [file.path for file in entry.manifest.files if file.path.endswith(".py") and file.kind != "script"]
    with store.scratch() as scratch, contextlib.suppress(OSError, ValueError):
        for path in sources:
            content = _dated(f"{site}/{path.partition('site-packages/')[2]}", f"{entry.files}/{path}")
            target = cache_from_source(f"{scratch}/compiled/{path}")
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "xb") as file:
                file.write(content)
        _publish(store, entry, scratch / "compiled", scratch / "entry")


def _dated(theirs: str, ours: str) -> bytes:
    """Return the bytecode of the module *theirs* as that of *ours*; raise `OSError` or `ValueError` if it has none."""
    with open(cache_from_source(theirs), "rb") as file:
        content = file.read()
    if content[:16] != _header(theirs) or os.stat(theirs).st_size != os.stat(ours).st_size:
        raise ValueError(f"the bytecode of {theirs} is of another source")
    return _header(ours) + content[16:]


def _header(source: str) -> bytes:
    status = os.stat(source)
    return MAGIC_NUMBER + struct.pack("<III", 0, int(status.st_mtime) & 0xFFFFFFFF, status.st_size & 0xFFFFFFFF)


def _link_sources(entry: Entry, folder: Path) -> None:
    folder.mkdir(parents=True)
    made: set[str] = set()
    for file in entry.manifest.files:
        if file.path.endswith(".py") and file.kind != "script":
            parent = os.path.dirname(file.path)
            if parent not in made:
                made.add(parent)
                os.makedirs(folder / parent, exist_ok=True)
            os.link(entry.files / file.path, folder / file.path)


def _compile(pip: Pip, folder: Path) -> None:
    argv = (str(pip.python), "-I", "-m", "compileall", "-q", "-j", "0", "-d", "", str(folder))
    finished = pip.run(argv, cwd=folder, scratch=folder)
    if finished.status not in (0, 1):  # 1: some file did not compile
        raise IsolateError(
            f"bytecode could not be compiled by {pip.python}",
            facts=tuple(finished.errors.splitlines()[-3:]),
            hint="run without --compile",
        )


def _publish(store: Store, entry: Entry, sources: Path, target: Path) -> None:
    files = []
    (target / "files").mkdir(parents=True)
    for where, _, names in os.walk(sources):
        for name in names:
            if name.endswith(".pyc"):
                path = os.path.relpath(os.path.join(where, name), sources)
                files.append(_move(sources / path, target / "files" / path, path))
    manifest = Manifest(
        name=entry.manifest.name + SUFFIX,
        version=entry.manifest.version,
        source_id=entry.manifest.source_id,
        interpreter_kind=entry.manifest.interpreter_kind,
        pip=entry.manifest.pip,
        files=tuple(sorted(files)),
    )
    write_manifest(manifest, target)
    store.publish(target, bytecode_key(entry.key))


def _move(source: Path, target: Path, path: str) -> File:
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    target.chmod(0o444)
    status = target.stat()
    return File(path, status.st_size, status.st_mtime_ns, digest_of_file(target), "file")
