"""What every command works with: the surroundings, the store, and somebody to tell how it goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from isolate import fs
from isolate.batch_fetch import BatchFetcher
from isolate.errors import IsolateError
from isolate.progress.protocol import NullProgress, Progress
from isolate.store.layout import cache_directory
from isolate.store.store import open_store, temporary_store

if TYPE_CHECKING:
    from types import TracebackType

    from isolate.application import Application
    from isolate.store.store import Store


class LazyStore:
    """The store of one run of the command; a context manager that takes a temporary one away in the end.

    It belongs to the process that enters it. Those that are forked while it has its store share that, and leave it.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Make one for the surroundings *environ*; nothing is made before it is needed."""
        self._environ = environ
        self._store: Store | None = None
        self._temporary: Path | None = None

    def __enter__(self) -> LazyStore:  # noqa: PYI034 - Self came with Python 3.11
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Delete the temporary store, if there is one."""
        if self._temporary is not None:
            fs.delete_tree(self._temporary)

    def store(self, progress: Progress) -> Store:
        """Return the store, made ready; a temporary one, which *progress* hears of, where it cannot be written to."""
        if self._store is None:
            cache = cache_directory(self._environ)
            try:
                self._store = open_store(cache)
            except IsolateError as error:
                import tempfile

                self._temporary = Path(tempfile.mkdtemp(prefix="isolate-"))
                progress.say(f"{error.problem}: a temporary one is used")
                self._store = temporary_store(cache, self._temporary)
        return self._store


@dataclass(kw_only=True)
class Session:
    """One run of the command. `clock` gives seconds since 1970; `company` has the applications that it works on.

    `is_worker` says whether this process is one of several that do the command, each for one application.
    """

    environ: Mapping[str, str]
    lazy_store: LazyStore
    progress: Progress = field(default_factory=NullProgress)
    clock: Callable[[], float] = time.time
    company: BatchFetcher = field(default_factory=BatchFetcher)
    is_worker: bool = False

    @property
    def store(self) -> Store:
        """Return the store, made ready; a temporary one, gone when the run ends, where it cannot be written to."""
        return self.lazy_store.store(self.progress)

    def waiting_for(self, application: Application) -> Callable[[], None]:
        """Return what to call when another process has *application*."""
        return lambda: self.progress.say(f"waiting for another isolate in {application.name}")

    def waiting_for_gc(self) -> None:
        """Say that another process is clearing the store."""
        self.progress.say("waiting for another isolate that clears the store")

    def waiting_for_store(self) -> None:
        """Say that another process is filling the store; mostly it is of the same command, if that has several."""
        if self.is_worker:
            self.progress.working("waiting for the store, which is being filled")
        else:
            self.progress.say("waiting for another isolate that fills the store")
