"""Where things lie in the store, and who may touch them. No other module joins these paths.

<cache>/store-v1/
  README.txt, CACHEDIR.TAG      who made this directory; deleting it is always safe
  lock                          held shared by whoever takes entries out, alone by whoever deletes
  filling                       held by whoever lets pip fill the store
  entries/<kind>/<name>-<version>-<digest>/
    manifest.json               see `manifest`
    files/                      as they lie in an environment; linked from there, so never written again
  skeletons/<digest>/skeleton.json   what `venv` makes for one interpreter
  seeds/pip-<version>-….whl      the pip that new environments begin with; beside it its digest
  interpreters/<digest>.json    facts about interpreters
  locks/<digest>.toml           locks of applications whose tree needs none, by their declarations
  known/<digest>/<name>-<version>.json   what pip said about a distribution: see `known`
  environments/<digest>         where an environment is that may hold links to entries
  tmp/                          work in progress; a directory there that nobody has locked is rubbish
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from isolate import fs, locks
from isolate.errors import IsolateError
from isolate.store.manifest import Manifest, read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

LAYOUT = "store-v1"
README = """\
Made by isolate: distributions as pip installed them, kept once and linked into the environments of applications.
Deleting this directory is always safe: environments go on working, and the next sync fills it again.
Never edit a file here or in an environment: `isolate store verify` finds such edits.
"""
CACHEDIR_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# https://bford.info/cachedir/\n"

SUFFIX = "+bytecode"


def bytecode_key(key: str) -> str:
    """Return the key of the entry that holds the bytecode of the entry *key*."""
    return key + SUFFIX


class Entry(NamedTuple):
    """One distribution, as pip installed it for one kind of interpreter from one artifact."""

    path: Path
    manifest: Manifest

    @property
    def files(self) -> Path:
        """Return the directory of the files, laid out as in an environment."""
        return self.path / "files"

    @property
    def key(self) -> str:
        """Return the name under which the store knows it."""
        return entry_key(self.path)

    @property
    def manifest_file(self) -> Path:
        """Return the file that the manifest was read from."""
        return self.path / "manifest.json"


@dataclass(frozen=True, kw_only=True)
class Store:
    """The store below `root`, an absolute directory that `open_store` has made ready.

    Where the usual one cannot be written to, `root` is a temporary one, and `lower` the usual one, which still serves
    what it holds, but for what was thrown out: `discarded_keys`.
    """

    root: Path
    lower: Path | None = None
    discarded_keys: set[str] = field(default_factory=set, compare=False)

    def key(self, kind: str, name: str, version: str | None, source_id: str) -> str:
        """Return the name of the entry of one artifact for one kind of interpreter: a path below `entries`."""
        digest = hashlib.sha256(f"{kind} {name} {source_id}".encode()).hexdigest()[:16]
        return f"{kind}/{name}-{version or 'tree'}-{digest}"

    def entry(self, key: str) -> Entry | None:
        """Return the entry *key*, or None if it is not there or cannot be read."""
        for root in self._roots(key):
            path = root / "entries" / key
            with contextlib.suppress(OSError, ValueError):
                return Entry(path=path, manifest=read_manifest(path / "manifest.json"))
        return None

    def has(self, key: str) -> bool:
        """Say whether the entry *key* is there; an entry is there completely or not at all."""
        return any(os.path.exists(root / "entries" / key / "manifest.json") for root in self._roots(key))

    def size_hint(self, key: str) -> int:
        """Return a number that grows with the number of files of the entry *key*; 0 if it is not there."""
        for root in self._roots(key):
            with contextlib.suppress(OSError):
                return os.stat(root / "entries" / key / "manifest.json").st_size
        return 0

    def siblings(self, kind: str, name: str) -> list[Entry]:
        """Return entries of other artifacts of one distribution, the newest first; two are as good as all."""
        paths = []
        for path in (self.root / "entries" / kind).glob(f"{name}-*"):
            with contextlib.suppress(FileNotFoundError):  # another process has thrown it out
                paths.append((path.lstat().st_mtime_ns, path))
        found = (self.entry(entry_key(path)) for _, path in sorted(paths, reverse=True))
        return list(islice((one for one in found if one is not None and one.manifest.name == name), 2))

    def _roots(self, key: str) -> tuple[Path, ...]:
        return (self.root,) if self.lower is None or key in self.discarded_keys else (self.root, self.lower)

    def publish(self, prepared: Path, key: str) -> None:
        """Make the directory *prepared*, below `tmp`, the entry *key*; if another process was first, keep theirs."""
        target = self.root / "entries" / key
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            prepared.rename(target)
        except OSError:
            if not self.has(key):
                self.discard(key)
                prepared.rename(target)

    def discard(self, key: str) -> None:
        """Throw the entry *key* out. Environments that hold links to its files keep them."""
        self.discarded_keys.add(key)
        target = self.root / "entries" / key
        with fs.scratch_directory(self.tmp) as scratch, contextlib.suppress(FileNotFoundError):
            target.rename(scratch / "discarded")

    def shared_access(self, on_wait: Callable[[], None] | None = None) -> AbstractContextManager[None]:
        """Hold off whoever would delete entries, for as long as entries are taken out."""
        return locks.flock(self.root / "lock", shared=True, on_wait=on_wait)

    def exclusive_access(self, on_wait: Callable[[], None] | None = None) -> AbstractContextManager[None]:
        """Be the only one who works with the store, to delete entries."""
        return locks.flock(self.root / "lock", on_wait=on_wait)

    def writing(self, on_wait: Callable[[], None] | None) -> AbstractContextManager[None]:
        """Be the only one who lets pip fill the store, so that nothing is fetched twice."""
        return locks.flock(self.root / "filling", on_wait=on_wait)

    def scratch(self) -> AbstractContextManager[Path]:
        """Yield a directory on the store's file system that is gone afterwards."""
        return fs.scratch_directory(self.tmp)

    @property
    def tmp(self) -> Path:
        """Return the directory for work in progress."""
        return self.root / "tmp"

    @property
    def seeds(self) -> Path:
        """Return the directory of the pip wheels that new environments begin with."""
        return self.root / "seeds"

    @property
    def known(self) -> Path:
        """Return the directory of what pip said about distributions."""
        return self.root / "known"

    @property
    def interpreters(self) -> Path:
        """Return the directory in which facts about interpreters are remembered."""
        return self.root / "interpreters"

    def template(self, identity: str) -> Path:
        """Return where the skeleton for the interpreter of this *identity* is, or will be."""
        return self.root / "skeletons" / hashlib.sha256(identity.encode()).hexdigest()[:16]

    def remembered_lock(self, digest: str) -> Path:
        """Return where the lock for declarations of this *digest* is, or will be."""
        return self.root / "locks" / f"{digest}.toml"

    def remember_lock(self, digest: str, text: bytes, *, is_new: bool) -> None:
        """Keep the lock *text* for declarations of this *digest*, in place of any other only if it *is_new*."""
        path = self.remembered_lock(digest)
        if is_new or not path.exists():
            path.parent.mkdir(exist_ok=True)
            fs.write(path, text, by=self.tmp)


def entry_key(path: Path) -> str:
    """Return the key of the entry in the directory *path*."""
    return f"{path.parent.name}/{path.name}"


def cache_directory(environ: Mapping[str, str]) -> Path:
    """Return the directory for everything that isolate keeps: `ISOLATE_CACHE_DIR`, else the platform's own."""
    if chosen := environ.get("ISOLATE_CACHE_DIR"):
        return Path(chosen).absolute()
    xdg = environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(xdg):  # the specification has a relative one ignored
        return Path(xdg, "isolate")
    import platformdirs

    return Path(platformdirs.user_cache_dir("isolate", appauthor=False)).absolute()


def open_store(cache: Path) -> Store:
    """Return the store below *cache*, made if it is not there; raise `IsolateError` if it cannot be used.

    Somebody else's is not used at all: whoever owns it may change it at any time.
    """
    store = Store(root=cache / LAYOUT)
    try:
        if store.root.exists() and store.root.stat().st_uid not in (0, os.geteuid()):
            raise IsolateError(f"{store.root} belongs to somebody else", hint="name another place in ISOLATE_CACHE_DIR")
        _make(store.root)
        for folder in (store.tmp, store.interpreters):
            fs.sweep(folder)
        with store.scratch():
            return store
    except OSError as error:
        raise IsolateError(
            f"the store in {cache} cannot be written to: {error.strerror}",
            hint="name another place in ISOLATE_CACHE_DIR",
        ) from None


def temporary_store(cache: Path, folder: Path) -> Store:
    """Return a store in the temporary directory *folder* that also serves what the one below *cache* holds.

    Of somebody else's, it serves nothing.
    """
    usual = cache / LAYOUT
    _make(folder / LAYOUT)
    trusted = usual.is_dir() and usual.stat().st_uid in (0, os.geteuid())
    return Store(root=folder / LAYOUT, lower=usual if trusted else None)


def _make(root: Path) -> None:
    if (root / "filling").exists():
        return
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, text in (("README.txt", README), ("CACHEDIR.TAG", CACHEDIR_TAG), ("lock", ""), ("filling", "")):
        if not (root / name).exists():
            (root / name).write_text(text, encoding="utf-8")


def entries(store: Store) -> Iterator[str]:
    """Yield the key of every entry in the store, in no order."""
    for path in (store.root / "entries").glob("*/*"):
        yield entry_key(path)


def remember_environment(store: Store, venv: Path) -> None:
    """Note that the environment *venv* may hold links to entries, so that its entries are kept."""
    path = _note(store, venv)
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        fs.write(path, f"{venv}\n".encode(), by=store.tmp)


def environments(store: Store) -> list[Path]:
    """Return the environments that may hold links to entries, there or not."""
    return [Path(note.read_text(encoding="utf-8").rstrip("\n")) for note in (store.root / "environments").glob("*")]


def forget_environment(store: Store, venv: Path) -> None:
    """Take back what `remember_environment` noted."""
    _note(store, venv).unlink(missing_ok=True)


def _note(store: Store, venv: Path) -> Path:
    return store.root / "environments" / hashlib.sha256(os.fsencode(venv)).hexdigest()[:24]
