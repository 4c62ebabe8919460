"""The paths of the store. No other module joins them.

<cache>/store-v1/
  README.txt, CACHEDIR.TAG      which program made this directory; deleting it is always safe
  lock                          locked (flock): shared by commands that link entries, exclusively to delete entries
  filling                       locked shared by processes that add entries; exclusively by those of older versions
  filling-names                 a byte of it is locked for each distribution that a process is about to add
  entries/<compat tag>/<name>-<version>-<sha256>/
    manifest.json               see `manifest`
    manifest.sha256             the digest of manifest.json and the key, compared whenever the entry is used
    files/                      laid out as in an environment; linked from there, so never written to again
  skeletons/<digest>/           the template of environments for one interpreter: see `environment.template`
  seeds/pip-<version>-….whl     the pip that new environments start with; its digest is in the file beside it
  seeds/for-<version>/          the same for a Python that needs an older pip
  interpreters/<digest>.json    facts about one interpreter: see `interpreters.discovery`
  locks/<digest>.toml           locks of applications without a `pylock.toml`, by a digest of their declarations
  complete/<digest>             an empty file: what a lock installs meets what all of it requires
  known/<digest>/<name>-<version>.json   what pip reported about a distribution: see `metadata_cache`
  hashes/<digest>.json          what an artifact that only a weaker hash identifies was found to have: see `digests`
  builds/<digest>/              pip's cache of the wheels that it built with one set of settings: see `wheel_cache`
  tools/<wheel>/                the content of a wheel that isolate runs as a program: see `resolution.poetry`
  scripts/<key>/                the environment of scripts: see `operations.script_environment`
  environments/<digest>         the path of an environment that may hold links to entries: see `environments`
  tmp/                          work in progress; a directory there that no process has locked is garbage

Older entries have a short digest in their names, and no manifest.sha256: see `keys.is_former_key`.

The names on disk do not follow the names in the code: versions of isolate that share a store must find the same locks.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_version

from isolate.home import NoHomeDirectory, expand_home, home_directory

if TYPE_CHECKING:
    from collections.abc import Mapping

DIRECTORY = "store-v1"
"""The name of the store below the cache directory. A layout that older versions cannot use gets a new one."""


class StorePaths(NamedTuple):
    """The paths below *root*, the absolute path of one store. Nothing is created here."""

    root: Path

    @property
    def readme(self) -> Path:
        """Return the file that explains the directory to a user who finds it."""
        return self.root / "README.txt"

    @property
    def cachedir_tag(self) -> Path:
        """Return the file that tells backup programs to skip the directory."""
        return self.root / "CACHEDIR.TAG"

    @property
    def access_lock(self) -> Path:
        """Return the lock file for access to entries."""
        return self.root / "lock"

    @property
    def write_lock(self) -> Path:
        """Return the lock file for adding entries at all."""
        return self.root / "filling"

    @property
    def name_locks(self) -> Path:
        """Return the lock file for adding the entries of one distribution."""
        return self.root / "filling-names"

    @property
    def entries(self) -> Path:
        """Return the directory of the entries."""
        return self.root / "entries"

    def entry(self, key: str) -> Path:
        """Return the directory of the entry *key*; raise `ValueError` for what is not a key."""
        if not is_key(key):
            raise ValueError(f"{key!r} is not the key of an entry")
        return Path(f"{self.root}/entries/{key}")  # a sync asks hundreds of times, and joining paths is slow

    def template(self, fingerprint: str) -> Path:
        """Return the directory of the template for the interpreter that *fingerprint* identifies."""
        return self.root / "skeletons" / _digest(fingerprint.encode())[:16]

    @property
    def seeds(self) -> Path:
        """Return the directory of the pip wheels that new environments start with."""
        return self.root / "seeds"

    def older_seeds(self, python_version: str) -> Path:
        """Return the directory of the pip wheels for the minor version (`3.8`) of a Python that needs an older pip."""
        return self.seeds / f"for-{python_version}"

    def tool(self, wheel: str) -> Path:
        """Return the directory with the content of *wheel*, a program that isolate itself runs."""
        return self.root / "tools" / wheel

    @property
    def interpreters(self) -> Path:
        """Return the directory of the facts about interpreters."""
        return self.root / "interpreters"

    def cached_lock(self, digest: str) -> Path:
        """Return the lock for the declarations with this *digest*."""
        return self.root / "locks" / f"{digest}.toml"

    def complete_lock(self, digest: str) -> Path:
        """Return the file that says that what the lock with this *digest* installs is complete."""
        return self.root / "complete" / digest

    @property
    def metadata(self) -> Path:
        """Return the directory of what pip reported about distributions."""
        return self.root / "known"

    @property
    def wheel_caches(self) -> Path:
        """Return the directory of pip's caches of the wheels that it built."""
        return self.root / "builds"

    def wheel_cache(self, settings: str) -> Path:
        """Return pip's cache of the wheels that it builds with these *settings*."""
        return self.wheel_caches / _digest(settings.encode())[:32]

    def artifact_hashes(self, artifact: str) -> Path:
        """Return the file of the hashes of an *artifact*, a text that names it and the hashes that are known."""
        return self.root / "hashes" / f"{_digest(artifact.encode())}.json"

    @property
    def scripts(self) -> Path:
        """Return the directory of the environments of scripts."""
        return self.root / "scripts"

    def script(self, key: str) -> Path:
        """Return the directory of the environment of scripts with this *key*."""
        return self.scripts / key

    @property
    def environments(self) -> Path:
        """Return the directory of the files that each name an environment."""
        return self.root / "environments"

    def environment(self, venv: Path) -> Path:
        """Return the file that names the environment *venv*."""
        return self.environments / _digest(os.fsencode(venv))[:24]

    @property
    def tmp(self) -> Path:
        """Return the directory for work in progress."""
        return self.root / "tmp"


def entry_files(entry: Path) -> Path:
    """Return the directory of the files of the entry in the directory *entry*."""
    return entry / "files"


def entry_manifest(entry: Path) -> Path:
    """Return the file of the manifest of the entry in the directory *entry*."""
    return entry / "manifest.json"


def key_of(entry: Path) -> str:
    """Return the key of the entry in the directory *entry*."""
    return f"{entry.parent.name}/{entry.name}"


KEY = re.compile(r"[A-Za-z0-9][\w.+-]*/[a-z0-9][\w.+!~-]*", re.ASCII)
"""A key: two parts of a path, neither of which leads elsewhere. Records that were tampered with may hold anything."""


def is_key(text: str) -> bool:
    """Return whether *text* has the form of a key."""
    return KEY.fullmatch(text) is not None


def entry_manifest_digest(entry: Path) -> Path:
    """Return the file of the digest of the manifest of the entry in the directory *entry*."""
    return entry / "manifest.sha256"


def fill_lock(compat_tag: str, name: str, version: str | None, source_id: str = "") -> str:
    """Return the name of the lock for filling the store with a distribution, for interpreters with *compat_tag*.

    Where the version is known, all artifacts of it have the same lock: pins without a hash do not tell the artifact.
    """
    return f"{compat_tag} {name} {canonicalize_version(version) if version else source_id}"


def tree_lock(directory: str) -> str:
    """Return the name of the lock for building the source tree in *directory*. Backends write to the tree itself."""
    return f"tree {os.path.realpath(directory)}"


BYTECODE_SUFFIX = "+bytecode"


def bytecode_key(key: str) -> str:
    """Return the key of the entry that holds the bytecode of the entry *key*."""
    return key + BYTECODE_SUFFIX


def cache_directory(environ: Mapping[str, str]) -> Path:
    """Return the directory above the store: `ISOLATE_CACHE_DIR`, else the platform's cache directory.

    Raises `NoHomeDirectory` if that is below a home directory that is not known.
    """
    if directory := environ.get("ISOLATE_CACHE_DIR"):
        return Path(expand_home("ISOLATE_CACHE_DIR", directory, environ)).absolute()
    xdg = environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(xdg):  # the specification says to ignore a relative path
        return Path(xdg, "isolate")
    if home_directory(environ) is None:
        raise NoHomeDirectory(
            "no place for the store: this user has no home directory",
            hint="set ISOLATE_CACHE_DIR to the directory to use, or HOME to an absolute path",
        )
    import platformdirs

    return Path(platformdirs.user_cache_dir("isolate", appauthor=False)).absolute()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
