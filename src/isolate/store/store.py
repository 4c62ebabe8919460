"""The store: distributions as pip installed them, kept once per machine for all applications."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from isolate import fs, locks
from isolate.errors import UnusableStore
from isolate.store.entry import read_entry
from isolate.store.layout import DIRECTORY, StorePaths, entry_manifest, is_key, key_of
from isolate.store.trust import ensure_own, ensure_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from isolate.store.entry import Entry

README = """\
Made by isolate: distributions as pip installed them, kept once and linked into the environments of applications.
Deleting this directory is always safe: environments keep working, and the next sync fills it again.
Never edit a file here or in an environment: `isolate store verify` finds such edits.
"""
CACHEDIR_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# https://bford.info/cachedir/\n"


@dataclass(frozen=True, kw_only=True)
class Store:
    """The store at `paths`, created by `open_store` or `temporary_store`.

    A temporary store reads from the user's store as well: its `fallback`. It cannot delete entries there, so it skips
    the `discarded_keys`. A store that `is_read_only` serves only to look at.
    """

    paths: StorePaths
    fallback: StorePaths | None = None
    is_read_only: bool = False
    discarded_keys: set[str] = field(default_factory=set, compare=False)

    @property
    def root(self) -> Path:
        """Return the directory of the store."""
        return self.paths.root

    def find(self, path: Path) -> Path:
        """Return *path*, which is below `root`; if there is none, the same path in the fallback, if that exists."""
        if self.fallback is None or path.exists():
            return path
        other = self.fallback.root / path.relative_to(self.root)
        return other if other.exists() else path

    def entry(self, key: str) -> Entry | None:
        """Return the entry *key*; None if it does not exist, or its manifest is not the one that was published."""
        for path in self._candidates(key):
            with contextlib.suppress(OSError, ValueError):
                return read_entry(path)
        return None

    def has(self, key: str) -> bool:
        """Return whether the entry *key* exists. An entry is published in one step, so it exists completely."""
        return self.find_entry(key) is not None

    def find_entry(self, key: str) -> Path | None:
        """Return the directory of the entry *key*; None if it does not exist."""
        return next((path for path in self._candidates(key) if os.path.exists(entry_manifest(path))), None)

    def size_hint(self, key: str) -> int:
        """Return a number that grows with the number of files of the entry *key*; 0 if it does not exist."""
        for path in self._candidates(key):
            with contextlib.suppress(OSError):
                return os.stat(entry_manifest(path)).st_size
        return 0

    def entry_keys(self) -> Iterator[str]:
        """Yield the key of every entry, in no particular order."""
        return filter(is_key, map(key_of, self.paths.entries.glob("*/*")))

    def newest_entries(self, compat_tag: str, name: str) -> list[Entry]:
        """Return the two entries of the distribution *name* that were published last, the newest first."""
        published = []
        for path in (self.paths.entries / compat_tag).glob(f"{name}-*"):
            with contextlib.suppress(FileNotFoundError):  # another process has discarded it
                published.append((path.lstat().st_mtime_ns, path))
        entries = (self.entry(key_of(path)) for _, path in sorted(published, reverse=True))
        return list(islice((entry for entry in entries if entry is not None and entry.manifest.name == name), 2))

    def _candidates(self, key: str) -> Iterator[Path]:
        if not is_key(key):
            return
        yield self.paths.entry(key)
        if self.fallback is not None and key not in self.discarded_keys:
            yield self.fallback.entry(key)

    def publish(self, prepared: Path, key: str) -> None:
        """Rename the directory *prepared*, below `paths.tmp`, to the entry *key*; keep an entry that already exists."""
        target = self.paths.entry(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            prepared.rename(target)
        except OSError:
            if not self.has(key):  # what is there has no manifest
                self.discard(key)
                prepared.rename(target)

    def discard(self, key: str) -> None:
        """Delete the entry *key*. Environments that hold links to its files keep them."""
        self.discarded_keys.add(key)
        with self.scratch() as scratch, contextlib.suppress(FileNotFoundError):
            self.paths.entry(key).rename(scratch / "discarded")

    def cache_lock(self, digest: str, content: bytes, *, replace: bool) -> None:
        """Keep the lock *content* for the declarations with this *digest*; *replace* an older one only if asked to."""
        path = self.paths.cached_lock(digest)
        if replace or not path.exists():
            path.parent.mkdir(exist_ok=True)
            fs.write(path, content, staging=self.paths.tmp, durable=True)

    def shared_access(self, on_wait: Callable[[], None] | None = None) -> AbstractContextManager[None]:
        """Lock the store so that no other process deletes entries; the caller may link them.

        *on_wait* is called once if the caller has to wait for another process, here and in the next two.
        """
        return locks.flock(self.paths.access_lock, shared=True, on_wait=on_wait)

    def exclusive_access(self, on_wait: Callable[[], None] | None = None) -> AbstractContextManager[None]:
        """Lock the store so that no other process has access; the caller may delete entries."""
        return locks.flock(self.paths.access_lock, on_wait=on_wait)

    @contextlib.contextmanager
    def fill_access(
        self, names: Iterable[str], on_wait: Callable[[], None] | None = None, *, command: str = ""
    ) -> Iterator[locks.NameLocks]:
        """Yield the locks of *names* (see `fill_lock`), so that no other process adds the same entries meanwhile.

        No artifact is downloaded or built twice: a caller that had to wait looks again what is missing. *command*
        names the command that the caller is a worker of: one worker of a command has access at a time, so that what
        several applications lack is fetched together. The caller holds `shared_access` as well.
        """
        with (
            locks.flock(self.paths.write_lock, shared=True, on_wait=on_wait),
            contextlib.closing(locks.NameLocks(self.paths.name_locks)) as held,
        ):
            if command:
                held.acquire([command], on_wait)
            held.acquire(names, on_wait)
            yield held

    def scratch(self) -> AbstractContextManager[Path]:
        """Yield a directory on the file system of the store; it is deleted afterwards."""
        return fs.scratch_directory(self.paths.tmp)


def open_store(cache: Path, on_exposed: Callable[[str], None] | None = None) -> Store:
    """Return the store below the directory *cache*, created if it does not exist.

    Raises `UnusableStore` if it cannot be written to, or if another user could change it: it belongs to that user, or
    others may write to it. For a place that the user named, *on_exposed* is called with the latter instead.
    """
    store = Store(paths=StorePaths(cache / DIRECTORY))
    try:
        if os.path.lexists(store.root):
            ensure_own(store.root)
        ensure_private(store.root, on_exposed)
        store.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        ensure_own(store.root)  # another user may have been faster
        _create(store.paths)
        for directory in (store.paths.tmp, store.paths.interpreters):
            fs.remove_abandoned(directory)
        with store.scratch():
            return store
    except OSError as error:
        raise UnusableStore(
            f"cannot use the store in {cache}: {error.strerror}", hint="set ISOLATE_CACHE_DIR to another directory"
        ) from None


def open_to_read(cache: Path, on_exposed: Callable[[str], None] | None = None) -> Store:
    """Return the store below the directory *cache* to look at, also if it cannot be written to.

    Raises `UnusableStore` if there is none, or if another user could change it, as `open_store` does.
    """
    try:
        return open_store(cache, on_exposed)
    except UnusableStore:
        paths = StorePaths(cache / DIRECTORY)
        if not os.access(paths.entries, os.R_OK | os.X_OK):
            raise
        ensure_own(paths.root)
        ensure_private(paths.root, on_exposed)
        return Store(paths=paths, is_read_only=True)


def temporary_store(cache: Path, directory: Path, on_exposed: Callable[[str], None] | None = None) -> Store:
    """Return a store in the temporary *directory* that also reads from the one below *cache*.

    It does not read from a store that another user could change.
    """
    paths, usual = StorePaths(directory / DIRECTORY), StorePaths(cache / DIRECTORY)
    paths.root.mkdir(parents=True, mode=0o700)
    _create(paths)
    try:
        ensure_own(usual.root)
        ensure_private(usual.root, on_exposed)
    except (OSError, UnusableStore):
        return Store(paths=paths)
    return Store(paths=paths, fallback=usual)


def _create(paths: StorePaths) -> None:
    if paths.write_lock.exists():  # written last
        return
    contents = {paths.readme: README, paths.cachedir_tag: CACHEDIR_TAG, paths.access_lock: "", paths.write_lock: ""}
    for path, content in contents.items():
        if not path.exists():
            path.write_text(content, encoding="utf-8")
