"""What every decision about the lock of one application depends on, as one value."""

from __future__ import annotations

import hashlib
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

from isolate.lock.environment_marker import environment_marker
from isolate.lock.freshness import staleness
from isolate.lock.local_sources import local_path, locked_trees, metadata_digest, metadata_digests, path_of_url
from isolate.locked import Selection
from isolate.pip.settings import build_settings, settings_digest
from isolate.redaction import without_credentials
from isolate.request import Request, selected
from isolate.resolution.pinned_pip import pinned_pip
from isolate.store.keys import EntryKeys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from packaging.pylock import Pylock

    from isolate.application import Application
    from isolate.declarations.declared import Declarations
    from isolate.interpreters.interpreter import Interpreter
    from isolate.lock.solutions import Solution
    from isolate.pip.report import ResolvedDistribution
    from isolate.request import LockPolicy
    from isolate.session import Session
    from isolate.store.store import Store


class LockContext(NamedTuple):
    """An application, what it declares, the interpreter it gets, and what may be done about its lock.

    `environ` has the environment variables. `source_digests` has a digest of the metadata of each source tree that the
    declarations name, by its absolute path. `may_build`: pip may run build backends. `asked` are the extras and groups
    that the lock must have together.
    """

    application: Application
    declarations: Declarations
    interpreter: Interpreter
    policy: LockPolicy
    store: Store
    environ: Mapping[str, str]
    source_digests: Mapping[str, str]
    may_build: bool = True
    asked: Selection = Selection()

    def with_declarations(self, declarations: Declarations) -> LockContext:
        """Return this context with *declarations*, of whose source trees the metadata is read."""
        new = [tree for tree in source_trees(declarations) if tree not in self.source_digests]
        return self._replace(declarations=declarations, source_digests={**self.source_digests, **metadata_digests(new)})

    @property
    def lock_file(self) -> Path | None:
        """Return the path of the lock in the tree; None if it is not about these declarations."""
        return None if self.declarations.has_own_lock else self.application.lock_file

    @property
    def has_lock_file(self) -> bool:
        """Return whether there is a lock in the tree for these declarations."""
        return self.lock_file is not None and self.lock_file.exists()

    @property
    def root(self) -> str:
        """Return the application's directory, to which paths in a lock are relative."""
        return str(self.application.root)

    def digests_with(self, trees: Iterable[str]) -> Mapping[str, str]:
        """Return `source_digests` with those of *trees*, absolute paths that only other source trees may name."""
        others = {tree for tree in trees if tree not in self.source_digests}
        return {**self.source_digests, **metadata_digests(others)} if others else self.source_digests

    def staleness_of(self, lock: Pylock) -> tuple[str, ...]:
        """Return why *lock* does not satisfy the declarations, one line each; empty if it is fresh."""
        digests = self.digests_with(locked_trees(lock, self.root))
        return staleness(lock, self.declarations, self.interpreter, digests)

    def solution(self, resolved: Sequence[ResolvedDistribution]) -> Solution:
        """Return what pip *resolved* for the declarations as a solution."""
        from isolate.lock.from_report import solution_from

        digests = self.digests_with(path_of_url(dist.url) or "" for dist in resolved if dist.is_directory)
        return solution_from(resolved, self.declarations, self.interpreter, digests)

    @property
    def index_fingerprint(self) -> str:
        """Return a digest (hex) of what determines which artifacts the pip of the application finds."""
        return index_fingerprint(self.application, self.declarations, self.interpreter, self.environ)

    @property
    def keys(self) -> EntryKeys:
        """Return what the keys of the application's entries have in common."""
        return entry_keys(self.application, self.declarations, self.interpreter, self.environ)

    @property
    def tree_tag(self) -> str:
        """Return for what the metadata of source trees is valid that the pip of the application reports."""
        tag = self.interpreter.compat_tag
        is_own = _own_answers(self.application, self.declarations, self.interpreter)
        return f"{tag} {self.index_fingerprint}" if is_own else tag

    @property
    def cache_key(self) -> str:
        """Return the key (hex) under which the store keeps the lock of these declarations: see `lock_cache_key`."""
        return lock_cache_key(self.application, self.declarations, self.interpreter, self.environ)


def context_of(
    application: Application, declarations: Declarations, interpreter: Interpreter, policy: LockPolicy, session: Session
) -> LockContext:
    """Return the context of a lock decision, as `project_metadata.lock_context` does, but without that metadata.

    What is asked for is what a sync without options installs.
    """
    digests = metadata_digests(source_trees(declarations))
    store, environ, may_build = session.store, session.environ, not session.only_looks
    asked = selected(declarations, Request())
    return LockContext(application, declarations, interpreter, policy, store, environ, digests, may_build, asked)


def entry_keys(
    application: Application, declarations: Declarations, interpreter: Interpreter, environ: Mapping[str, str]
) -> EntryKeys:
    """Return what the keys of the entries that *application* uses have in common."""
    of_builds = cache(partial(build_id, application, declarations, interpreter, environ))
    return EntryKeys(interpreter.compat_tag, of_builds, frozenset(declarations.settings.no_build_isolation))


def build_id(
    application: Application, declarations: Declarations, interpreter: Interpreter, environ: Mapping[str, str]
) -> str:
    """Return a text that differs where pip may build another wheel for *application* from the same source.

    It covers the settings of builds and of the indexes that build dependencies come from, and the C library.
    """
    settings = build_settings(environ, application.venv)
    options = map(without_credentials, declarations.expanded_index_options)
    return repr((interpreter.libc, settings, *options))


def index_fingerprint(
    application: Application, declarations: Declarations, interpreter: Interpreter, environ: Mapping[str, str]
) -> str:
    """Return a digest (hex) of what determines which artifacts the pip of *application* finds."""
    settings, own = settings_digest(environ, application.venv), _own_answers(application, declarations, interpreter)
    facts = (settings, interpreter.version, interpreter.compat_tag, *declarations.expanded_index_options, *own)
    facts += tuple(f"{name} from {url}" for name, url in sorted(declarations.package_indexes.items()))
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def _own_answers(application: Application, declarations: Declarations, interpreter: Interpreter) -> tuple[str, ...]:
    """Return what makes the answers of pip valid for *application* alone; empty if they are for all.

    They are its own if it pins the pip that answers, or if that pip runs where packages of the application could change
    what it says: where it builds without isolation.
    """
    pinned, names = pinned_pip(declarations, interpreter.markers), declarations.settings.no_build_isolation
    if pinned is None and not names:
        return ()
    of_pip = () if pinned is None else (pinned[0], *sorted(pinned[1]))
    return (str(application.root), *of_pip, *names)


def lock_cache_key(
    application: Application, declarations: Declarations, interpreter: Interpreter, environ: Mapping[str, str]
) -> str:
    """Return the key (hex) under which the store keeps the lock of *declarations*.

    It covers every byte of the declarations and of what a build backend reads, what an interpreter makes of their
    markers, the local paths that they name, and the indexes: the same words in a different place, or with a different
    index, may mean other artifacts.
    """
    digest = hashlib.sha256(environment_marker(interpreter.markers).encode())
    paths = sorted(str(declared.path) for declared in declarations.requirements if declared.path is not None)
    index = index_fingerprint(application, declarations, interpreter, environ)
    digest.update(repr((index, paths)).encode())
    if declarations.named.has_files:  # the same files may have been read in other roles
        digest.update(repr((declarations.named.requirements, declarations.named.constraints)).encode())
    for file, content in declarations.contents.items():
        digest.update(f"\0{file.name}\0".encode() + content)
    if declarations.has_dynamic_dependencies:
        digest.update(metadata_digest(str(declarations.root)).encode())
    return digest.hexdigest()


def source_trees(declarations: Declarations) -> list[str]:
    """Return the directories and archives, existing or not, that the lock depends on besides the declarations."""
    trees = [path for declared in declarations.requirements if (path := local_path(declared)) is not None]
    if declarations.has_dynamic_dependencies:
        trees.append(str(declarations.root))
    return trees
