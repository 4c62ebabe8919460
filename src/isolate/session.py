"""What every command works with: environment variables, the store, the progress display, the clock."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from isolate import fs
from isolate.batch_fetch import BatchFetcher
from isolate.errors import IsolateError
from isolate.progress.protocol import NullProgress, Progress
from isolate.store.layout import DIRECTORY, StorePaths, cache_directory
from isolate.store.store import Store, open_store, open_to_read, temporary_store

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager
    from types import TracebackType

    from isolate.application import Application
    from isolate.interpreters.interpreter import Choice
    from isolate.locks import NameLocks


class LazyStore:
    """The store of one run of the command, opened when it is first used.

    A context manager that deletes the store on exit if it is temporary. Only the process that entered it does so:
    forked workers share the store.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Take the environment variables that say where the store is."""
        self._environ = environ
        self._store: Store | None = None
        self._temporary: Path | None = None
        self._has_warned = False

    def __enter__(self) -> LazyStore:  # noqa: PYI034 - Self came with Python 3.11
        """Return self. Nothing is opened yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Delete a temporary store."""
        if self._temporary is not None:
            fs.delete_tree(self._temporary)

    @property
    def cache(self) -> Path:
        """Return the directory above the user's store."""
        return cache_directory(self._environ)

    @property
    def paths(self) -> StorePaths:
        """Return the paths of the user's store, whether it exists or not."""
        return StorePaths(self.cache / DIRECTORY)

    def store(self, progress: Progress) -> Store:
        """Open and return the store; if its directory cannot be used, report that and use a temporary store."""
        if self._store is None:
            cache, on_exposed = self.cache, self.on_exposed(progress)
            try:
                self._store = open_store(cache, on_exposed)
            except IsolateError as error:
                import tempfile

                try:
                    self._temporary = Path(tempfile.mkdtemp(prefix="isolate-"))
                except OSError:  # nothing can be written anywhere, but a command that only looks needs no store
                    self._store = Store(paths=self.paths, is_read_only=True)
                    return self._store
                progress.say(f"{error.problem}; using a temporary store")
                self._store = temporary_store(cache, self._temporary, on_exposed)
        return self._store

    def on_exposed(self, progress: Progress) -> Callable[[str], None] | None:
        """Return what to call if others may write to the store: None, so that it is not used, in its default place.

        In a place that the user named, they are warned, once.
        """

        def warn(problem: str) -> None:
            if not self._has_warned:
                progress.say(f"warning: {problem}")
            self._has_warned = True

        return warn if self._environ.get("ISOLATE_CACHE_DIR") else None


@dataclass(kw_only=True)
class Session:
    """One run of the command.

    `clock` returns seconds since 1970. `batch` has all applications that the command works on. `is_worker` tells
    whether this is one of several processes, each of which works on one application. `only_looks`: the command runs no
    program that the repository names, no build backend, and nothing in an environment. `run` names this run: its
    processes share what they find out about the machine. `pythons` has the interpreters that were chosen, by the
    directory of the application, because the packages of the application need another one than the default.
    """

    environ: Mapping[str, str]
    lazy_store: LazyStore
    progress: Progress = field(default_factory=NullProgress)
    clock: Callable[[], float] = time.time
    batch: BatchFetcher = field(default_factory=BatchFetcher)
    is_worker: bool = False
    only_looks: bool = False
    run: str = field(default_factory=lambda: os.urandom(16).hex())
    pythons: Mapping[Path, Choice] = field(default_factory=dict)

    def looking(self) -> Session:
        """Return this session for a command that only looks."""
        return replace(self, only_looks=True)

    def with_python(self, root: Path, choice: Choice) -> Session:
        """Return this session with a *choice* for the application in *root*."""
        return replace(self, pythons={**self.pythons, root: choice})

    @property
    def store(self) -> Store:
        """Return the store, opened; a temporary one if its directory is not writable."""
        return self.lazy_store.store(self.progress)

    @property
    def store_to_read(self) -> Store:
        """Return the user's store, perhaps read-only; raises `UnusableStore` if there is none that can be read."""
        return open_to_read(self.lazy_store.cache, self.lazy_store.on_exposed(self.progress))

    @property
    def store_to_clean(self) -> Store:
        """Return the user's store; raises `UnusableStore` if it cannot be written to."""
        return open_store(self.lazy_store.cache, self.lazy_store.on_exposed(self.progress))

    def waiting_for(self, application: Application) -> Callable[[], None]:
        """Return what to call when another process holds the lock of *application*."""
        return lambda: self.progress.say(f"waiting for another isolate process working on {application.name}")

    def waiting_for_gc(self) -> None:
        """Report that another process is cleaning the store."""
        self.progress.say("waiting for another isolate process cleaning the store")

    def fill_access(self, names: Iterable[str]) -> AbstractContextManager[NameLocks]:
        """Lock the distributions *names* in the store, as `Store.fill_access` does for a worker of this command."""
        return self.store.fill_access(names, self.waiting_for_store, command=self.batch.command)

    def waiting_for_store(self) -> None:
        """Report that another process fetches the same packages; for a worker, mostly one of the same command."""
        if self.is_worker:
            self.progress.working("waiting for the store")
        else:
            self.progress.say("waiting for another isolate process that fetches the same packages")

    def waiting_for_users(self) -> None:
        """Report that other processes use the store."""
        self.progress.say("waiting for other isolate processes that use the store")
