"""Bytecode: compiled once for each entry and kept in a second entry beside it.

An entry never changes after it was published, so its bytecode is another entry, which is linked along with it. The
files are those that Python itself would write into `__pycache__` (PEP 3147), valid by mtime and size of their source.
RECORD does not list them, as it does not list what Python writes.
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
from isolate.store.entry import write_entry_manifest
from isolate.store.layout import BYTECODE_SUFFIX, bytecode_key, entry_files
from isolate.store.manifest import File, digest_of_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from isolate.interpreters.interpreter import Interpreter
    from isolate.pip.runner import Pip
    from isolate.store.entry import Entry
    from isolate.store.store import Store


class BytecodeFailed(IsolateError):
    """The interpreter could not compile bytecode."""

    code = "bytecode-failed"
    remedy = "Leave out `--compile`."


def compile_missing(store: Store, keys: Sequence[str], pip: Callable[[], Pip], *, on_wait: Callable[[], None]) -> None:
    """Ensure that the store has the bytecode of each entry of *keys*; *pip*'s interpreter compiles it on all cores.

    A file that does not compile (it may be meant for a different Python) is skipped, as pip skips it. *on_wait* is
    called if another process is compiling one of them.
    """
    if all(store.has(bytecode_key(key)) for key in keys):
        return
    compiler = pip()
    with store.fill_access(map(bytecode_key, keys), on_wait), store.scratch() as scratch:
        missing = [entry for key in keys if not store.has(bytecode_key(key)) and (entry := store.entry(key))]
        if not missing:  # another process has compiled them while this one waited
            return
        for number, entry in enumerate(missing):
            _link_sources(entry, scratch / "sources" / str(number))
        _compile(compiler, scratch / "sources")
        for number, entry in enumerate(missing):
            _publish(store, entry, scratch / "sources" / str(number), scratch / str(number))


def reuse_own_bytecode(store: Store, key: str, interpreter: Interpreter) -> None:
    """Publish the bytecode of the pip *key* if isolate's own pip has it: the same version, for the same Python.

    Without bytecode pip takes four times as long to start.
    """
    own = (sys.implementation.name, sys.version_info[:2])
    required = (interpreter.implementation, tuple(int(part) for part in interpreter.minor_version.split(".")))
    if own == required and not interpreter.free_threaded and f"/pip-{own_pip.__version__}-" in key:
        reuse_bytecode(store, key, Path(own_pip.__file__).parent.parent)


def reuse_bytecode(store: Store, key: str, site: Path) -> None:
    """Publish the bytecode of the modules in the directory *site* as that of the entry *key* with the same modules.

    Bytecode states mtime and size of its source (PEP 552); nothing else in it depends on where the source is. If the
    bytecode of a module is missing or out of date, nothing is published.
    """
    entry = store.entry(key)
    if entry is None or store.has(bytecode_key(key)):
        return
    modules = [file.path for file in entry.manifest.files if file.path.endswith(".py") and file.kind != "script"]
    with store.scratch() as scratch, contextlib.suppress(OSError, ValueError):
        for path in modules:
            content = _bytecode_for(f"{entry.files}/{path}", f"{site}/{path.partition('site-packages/')[2]}")
            target = cache_from_source(f"{scratch}/compiled/{path}")
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "xb") as file:
                file.write(content)
        _publish(store, entry, scratch / "compiled", scratch / "entry")


def _bytecode_for(source: str, original: str) -> bytes:
    """Return the bytecode of the module *original*, with a header that makes it valid for its copy *source*.

    Raises `OSError` or `ValueError` if the original has no valid bytecode.
    """
    with open(cache_from_source(original), "rb") as file:
        content = file.read()
    if content[:16] != _header(original) or os.stat(original).st_size != os.stat(source).st_size:
        raise ValueError(f"the bytecode of {original} is out of date")
    return _header(source) + content[16:]


def _header(source: str) -> bytes:
    status = os.stat(source)
    return MAGIC_NUMBER + struct.pack("<III", 0, int(status.st_mtime) & 0xFFFFFFFF, status.st_size & 0xFFFFFFFF)


def _link_sources(entry: Entry, directory: Path) -> None:
    directory.mkdir(parents=True)
    created: set[str] = set()
    for file in entry.manifest.files:
        if file.path.endswith(".py") and file.kind != "script":
            parent = os.path.dirname(file.path)
            if parent not in created:
                created.add(parent)
                os.makedirs(directory / parent, exist_ok=True)
            os.link(entry.files / file.path, directory / file.path)


COMPILE = """
import compileall, multiprocessing, sys
multiprocessing.set_start_method("spawn")
try:
    multiprocessing.Lock()
    workers = 0
except (ImportError, OSError):  # no usable /dev/shm
    workers = 1
compileall.compile_dir(sys.argv[1], ddir="", quiet=1, workers=workers)
"""
"""Not `python -m compileall`: that exits with 1 both for a file that does not compile and when it crashes. From Python
3.12 on, it also starts its workers through a socket in `TMPDIR`, whose path may be longer than a socket's may be."""


def _compile(pip: Pip, directory: Path) -> None:
    argv = (str(pip.python), "-I", "-c", COMPILE, str(directory))
    finished = pip.run(argv, cwd=directory, scratch=directory)
    if finished.status:
        raise BytecodeFailed(
            f"{pip.python} could not compile bytecode (exit code {finished.status})",
            facts=tuple(finished.errors.splitlines()[-3:]),
            hint="run without --compile",
        )


def _publish(store: Store, entry: Entry, compiled: Path, target: Path) -> None:
    """Publish the bytecode below *compiled* as that of *entry*; *target* is where its entry is prepared."""
    files = []
    directory = entry_files(target)
    directory.mkdir(parents=True)
    for parent, _, names in os.walk(compiled):
        for name in names:
            if name.endswith(".pyc"):
                path = os.path.relpath(os.path.join(parent, name), compiled)
                files.append(_move(compiled / path, directory / path, path))
    original = entry.manifest
    manifest = original._replace(name=original.name + BYTECODE_SUFFIX, files=tuple(sorted(files)))
    key = bytecode_key(entry.key)
    write_entry_manifest(manifest, target, key)
    store.publish(target, key)


def _move(source: Path, target: Path, path: str) -> File:
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    target.chmod(0o444)
    status = target.stat()
    return File(path, status.st_size, status.st_mtime_ns, digest_of_file(target), "file")
