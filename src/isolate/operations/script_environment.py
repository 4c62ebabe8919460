"""The environments of scripts with inline metadata (PEP 723): in the store, one for all scripts that ask for the same.

<store>/scripts/<key>/
  metadata.json   what the block of the scripts says, which the key is a digest of, with the Python that is asked for
  in-use          locked shared while a script runs or is synced; exclusively by a process that deletes the environment
  uses/<digest>   the path of a script, and the Python that the command line asked for
  .venv/          the environment; its lock is in its records and among the locks of the store
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from isolate import fs
from isolate.application import Application, without_parents
from isolate.bounded_read import read_bounded, read_json
from isolate.declarations.script_file import Script, metadata_file, read_script
from isolate.errors import DeclarationError, IsolateError, UnusableStore, UsageError
from isolate.resolution.interpreter import python_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isolate.request import Request
    from isolate.session import Session
    from isolate.store.layout import StorePaths
    from isolate.store.store import Store

SUFFIX = ".py"


def application_at(path: Path, paths: StorePaths, python: str | None) -> Application:
    """Return the application in the directory *path*, or the one that the script *path* is, whose store has *paths*.

    *python* is the Python that the command line asks for. Raises `DeclarationError` for a script without metadata.
    """
    if path.suffix != SUFFIX or path.is_dir() or not path.exists():
        return Application.at(path)
    script = read_script(without_parents(path.absolute()))
    if script is None:
        hint = "add one (PEP 723), or run `isolate sync` in the directory of the application"
        raise DeclarationError("has no block `# /// script`", hint=hint, file=path)
    return application_of(script, paths, python)


def application_of(script: Script, paths: StorePaths, python: str | None) -> Application:
    """Return *script* as an application, whose directory may not exist yet."""
    return Application(root=paths.script(_key(script, python)), script=script.path)


def _key(script: Script, python: str | None) -> str:
    """Return the key (hex) of the environment of *script*: a digest of its metadata and of the Python asked for."""
    request = python_request(script.declarations(script.path.parent), python)
    facts = [] if request is None else [request.text]
    if request is not None and os.sep in request.text:
        facts.append(str(request.directory.absolute()))
    return hashlib.sha256(script.metadata + repr(facts).encode()).hexdigest()[:32]


@contextlib.contextmanager
def in_use(application: Application, request: Request, session: Session) -> Iterator[int]:
    """Create the directory of a script's environment if need be, and keep it from being deleted during the block.

    Yields the file that holds the lock, for a program that takes the place of this process. Raises `UsageError` for
    options of *request* that are not about a script, `UnusableStore` if there is no store to keep the environment in.
    """
    _ensure_about_scripts(request)
    if session.store.root != session.lazy_store.paths.root:
        hint = "set ISOLATE_CACHE_DIR to a directory that you can write to"
        raise UnusableStore("there is no place for the environment of a script", hint=hint)
    _ensure_current(application, request)
    handle = _lock(application.root)
    try:
        Application.at(application.root)  # raises `UnusableDirectory` if no environment can work there
        _record(application, request.asked.python, session.store)
        yield handle
    finally:
        os.close(handle)


def _ensure_about_scripts(request: Request) -> None:
    policy = request.lock_policy
    if request.asked.has_files or request.save or not policy.may_change or not policy.validate:
        problem = "a script states its requirements itself, and has no lock in the tree"
        raise UsageError(problem, hint="leave out -r, -c, --save, --locked and --frozen")


def _ensure_current(application: Application, request: Request) -> None:
    """Raise `DeclarationError` if the script was edited since its environment was chosen."""
    script = None if application.script is None else read_script(application.script)
    if script is None or _key(script, request.asked.python) != application.root.name:
        hint = "run the command again"
        raise DeclarationError("its metadata was edited just now", hint=hint, file=application.script)


def _lock(root: Path) -> int:
    """Create the directory *root* if need be, and return a file that holds the shared lock of it."""
    while True:
        root.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            handle = os.open(root / "in-use", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(handle, fcntl.LOCK_SH)
            if _is_in_place(handle, root):
                return handle
            os.close(handle)  # another process has deleted it


def _is_in_place(handle: int, root: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), os.stat(root / "in-use"))
    return False


def _record(application: Application, python: str | None, store: Store) -> None:
    """Record which script the environment is for, and what its metadata is."""
    use = json.dumps([str(application.script), python]).encode()
    path = application.root / "uses" / hashlib.sha256(use).hexdigest()[:24]
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        fs.write(path, use, staging=store.paths.tmp)
    metadata = metadata_file(application.root)
    script = None if application.script is None else read_script(application.script)
    if script is not None and not _has_content(metadata, script.metadata):
        fs.write(metadata, script.metadata, staging=store.paths.tmp)


def _has_content(path: Path, content: bytes) -> bool:
    try:
        return read_bounded(path) == content
    except OSError:
        return False


def delete_unused(store: Store) -> list[str]:
    """Delete the environments that no script has, and return the paths of the scripts that had them, in order.

    No script has it if each is gone, or asks for something else by now. An environment that is in use stays.
    """
    gone: list[str] = []
    for root in sorted(store.paths.scripts.glob("*")):
        if root.is_symlink():  # nothing of ours
            continue
        uses = list(_uses(root))
        if any(_is_used(root, path, python) for path, python in uses):
            continue
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            handle = os.open(root / "in-use", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            held.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fs.delete_tree(root)
            gone += [path for path, _ in uses]
    return sorted(set(gone))


def _uses(root: Path) -> Iterator[tuple[str, str | None]]:
    for record in (root / "uses").glob("*"):
        with contextlib.suppress(OSError, ValueError, TypeError):
            path, python = read_json(record)
            if isinstance(path, str) and isinstance(python, str | None) and "\0" not in path:
                yield path, python


def _is_used(root: Path, path: str, python: str | None) -> bool:
    try:
        script = read_script(Path(path))
        return script is not None and _key(script, python) == root.name
    except (IsolateError, OSError):
        return False
