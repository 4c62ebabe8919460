"""What every command works with: the surroundings, the store, and somebody to tell how it goes."""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from isolate import atomic
from isolate.commands.company import Company
from isolate.errors import IsolateError
from isolate.report import Progress, Silent
from isolate.store.layout import cache_directory, open_store, temporary_store

if TYPE_CHECKING:
    from isolate.application import Application
    from isolate.store.layout import Store


@dataclass(kw_only=True)
class Session:
    """One run of the command. `clock` gives seconds since 1970; `company` has the applications that it works on."""

    environ: Mapping[str, str]
    progress: Progress = field(default_factory=Silent)
    clock: Callable[[], float] = time.time
    company: Company = field(default_factory=Company)

    @cached_property
    def store(self) -> Store:
        """Return the store, made ready; a temporary one, gone when this process ends, where it cannot be written to."""
        cache = cache_directory(self.environ)
        try:
            return open_store(cache)
        except IsolateError as error:
            import tempfile  # noqa: PLC0415 - mostly the usual one will do

            folder = tempfile.mkdtemp(prefix="isolate-")
            atexit.register(atomic.delete_tree, Path(folder))
            self.progress.say(f"{error.problem}: a temporary one is used")
            return temporary_store(cache, Path(folder))

    def waiting_for(self, application: Application) -> Callable[[], None]:
        """Return what to call when another process has *application*."""
        return lambda: self.progress.say(f"waiting for another isolate in {application.name}")

    def waiting_for_gc(self) -> None:
        """Say that another process is clearing the store."""
        self.progress.say("waiting for another isolate that clears the store")

    def waiting_for_store(self) -> None:
        """Say that another process is filling the store."""
        self.progress.say("waiting for another isolate that fills the store")
