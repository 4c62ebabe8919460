"""Verify an environment whose records this user's isolate did not write: of an image, a CI cache, an earlier isolate.

Such records are claims. What the environment should contain is known without them: from the lock, the store and the
template of the interpreter. What matches is proven, however it got there.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, NamedTuple

from isolate.environment.link import DamagedEntry
from isolate.environment.proof import Listing, is_proven, list_files, prove_entry, prove_template
from isolate.environment.pycache import source_of
from isolate.environment.records import State
from isolate.environment.stamp.mtimes import DirectoryMtimes, directory_mtimes
from isolate.environment.template import is_template_path, site_packages, template_of
from isolate.environment.verify import unmanaged_distributions, unsafe_directories
from isolate.interpreters.interpreter import Interpreter
from isolate.lock.select import select
from isolate.locked import LockedDistribution
from isolate.operations.current_state import UNVERIFIED, CurrentState, Rebuild, targets_for
from isolate.operations.identify import with_known_hashes
from isolate.operations.inspect import DAMAGES, rebuild_reason
from isolate.parallel.map import parallel_map
from isolate.plan import Target
from isolate.store.layout import bytecode_key
from isolate.store.manifest import CODE_SUFFIXES, code_directories

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from packaging.pylock import Pylock

    from isolate.application import Application
    from isolate.environment.proof import ProvenDistribution
    from isolate.environment.verify import DamagedFile, UnmanagedDistribution
    from isolate.locked import Selection
    from isolate.resolution.context import LockContext
    from isolate.store.entry import Entry
    from isolate.store.manifest import File, Manifest
    from isolate.store.store import Store


class Verification(NamedTuple):
    """What is proven about an environment, and what is not.

    `current` is its state to go on with: what differs is damaged, what nothing tells anything about is unmanaged.
    `template` and `manifests` are what to record. Paths are relative to the environment. `unproven` are the names of
    packages that the store lacks. `code` are files that Python or a shell would find, and that belong to no package;
    `compiled` are files that Python believes without a look at their source.
    """

    current: CurrentState
    template: tuple[File, ...]
    manifests: tuple[Manifest, ...]
    unproven: tuple[str, ...]
    code: tuple[str, ...]
    compiled: tuple[str, ...]


def verify(
    application: Application, current: CurrentState, targets: Sequence[Target], store: Store, selection: Selection
) -> Verification:
    """Return what is proven about the environment of *application* that *targets* should be in.

    *current* is what `inspect` said about it. Every file is read, and nothing is changed. Raises `DamagedEntry`.
    """
    venv = application.venv
    entries = [(target, entry) for target in targets if (entry := _entry(target, store)) is not None]
    directories = {directory for _, entry in entries for directory in code_directories(entry.manifest.files)}
    mtimes = DirectoryMtimes(directory_mtimes(venv, sorted(directories)))  # before anything in them is read
    files = list_files(venv)
    template, rebuild = _verify_template(application, current, files, store)
    proven = [dist for dist in _prove(venv, files, entries) if dist.is_present]
    state = State(
        venv=str(venv),
        interpreter=current.interpreter.to_dict(),
        selection=selection,
        installed={dist.installed.name: dist.installed for dist in proven},
    )
    if rebuild is None and (unsafe := next(unsafe_directories(venv, state), None)) is not None:
        rebuild = _rebuild_for(unsafe)
    current = current._replace(
        state=None if rebuild else state,
        rebuild=rebuild,
        mtimes=mtimes,
        damaged_files=tuple(damage for dist in proven for damage in dist.damaged),
        unmanaged=current.unmanaged if rebuild else _unmanaged(application, state),
        verified=rebuild is None,
    )
    owned = _owned(files, current, template, entries)
    stored = {target.name for target, _ in entries}
    return Verification(
        current=current,
        template=template,
        manifests=tuple(dist.manifest for dist in proven),
        unproven=tuple(target.name for target in targets if target.name not in stored),
        code=tuple(_foreign_code(files, owned)),
        compiled=_unproven_bytecode(venv, files, owned, store, targets),
    )


def _unproven_bytecode(
    venv: Path, files: Listing, owned: set[str], store: Store, targets: Iterable[Target]
) -> tuple[str, ...]:
    """Return the compiled files of *owned* modules, except those that the store has as well."""
    compiled = {path: status for path, status in files.items() if path not in owned and source_of(path) in owned}
    if not compiled:
        return ()
    entries = (store.entry(bytecode_key(target.key)) for target in targets if not target.is_local)
    known = (file for entry in entries if entry is not None for file in entry.manifest.files)
    proven = {file.path for file in known if is_proven(venv, compiled, file)}
    return tuple(sorted(compiled.keys() - proven))


def verify_what_is_stored(
    context: LockContext, current: CurrentState, lock: Pylock, selection: Selection
) -> Verification:
    """Return like `verify` what is proven about an environment that should contain the *selection* of *lock*.

    An entry of the store that is damaged proves nothing.
    """
    application, store = context.application, context.store
    locked = with_known_hashes(select(lock, current.interpreter, selection, root=context.root), store, application.venv)
    targets = targets_for(locked, context.keys)
    missing: tuple[str, ...] = ()
    if not any(target.name == "pip" for target in targets):
        pip = _pip_targets(current, store)
        targets += pip
        missing = () if pip else ("pip",)
    damaged: set[str] = set()
    while True:
        try:
            found = verify(application, current, [t for t in targets if t.key not in damaged], store, selection)
        except DamagedEntry as error:
            damaged.update(entry.key for entry in (error, *error.others))
        else:
            unproven = [target.name for target in targets if target.key in damaged]
            return found._replace(unproven=(*found.unproven, *unproven, *missing))


def _pip_targets(current: CurrentState, store: Store) -> list[Target]:
    """Return as a target the pip of the store that the environment claims to have, else the newest one, if any."""
    claimed = None if current.claim is None else store.entry(current.claim.installed["pip"].key)
    entries = [] if claimed is None else [claimed]
    for entry in (*entries, *store.newest_entries(current.interpreter.compat_tag, "pip")):
        manifest = entry.manifest
        if manifest.name == "pip":
            locked = LockedDistribution("pip", manifest.version, manifest.source_id, table={})
            return [Target(locked=locked, key=entry.key)]
    return []


def _prove(venv: Path, files: Listing, entries: Sequence[tuple[Target, Entry]]) -> Sequence[ProvenDistribution]:
    return parallel_map(lambda pair: prove_entry(venv, files, pair[1], pair[0].key), entries)


def _unmanaged(application: Application, state: State) -> tuple[UnmanagedDistribution, ...]:
    """Return the distributions of the environment that are not proven."""
    site = site_packages(application.venv, state.interpreter)
    return () if site is None else tuple(unmanaged_distributions(application.venv, site, state.installed))


def _owned(
    files: Listing, current: CurrentState, template: Iterable[File], entries: Iterable[tuple[Target, Entry]]
) -> set[str]:
    """Return the paths that a wanted entry, the RECORD of a distribution or the template names."""
    owned = {file.path for _, entry in entries for file in entry.manifest.files}
    owned |= {path for dist in current.unmanaged for path in dist.files}
    if current.rebuild:  # a new environment gets no file of an old template
        return owned.union(filter(is_template_path, files))
    return owned.union(file.path for file in template)


def _entry(target: Target, store: Store) -> Entry | None:
    entry = None if target.is_local else store.entry(target.key)
    return None if entry is None or entry.differences(target.locked) else entry


def _verify_template(
    application: Application, current: CurrentState, files: Listing, store: Store
) -> tuple[tuple[File, ...], Rebuild | None]:
    """Return the record of the files that `venv` created, and the reason to recreate the environment, if any."""
    if (reason := _claimed_reason(application, current)) is not None:
        return (), reason
    try:
        template = template_of(application.venv, current.interpreter, store)
    except OSError:  # `venv` has not run yet for this interpreter, and cannot run without a directory to write to
        template = None
    if template is None:
        return (), UNVERIFIED
    rows, damage = prove_template(application.venv, files, template)
    return rows, None if damage is None else _rebuild_for(damage)


def _rebuild_for(damage: DamagedFile) -> Rebuild:
    return Rebuild(damage.code, DAMAGES[damage.code].format(damage.path))


def _claimed_reason(application: Application, current: CurrentState) -> Rebuild | None:
    """Return why the environment has to be recreated if its record is right about its place and its Python.

    Whether the binary of the Python was replaced does not matter: what is installed is compared with the store.
    """
    claim = current.claim
    if claim is None:
        return None
    fingerprint = current.interpreter.fingerprint
    interpreter = Interpreter.from_dict(claim.interpreter)._replace(fingerprint=fingerprint).to_dict()
    return rebuild_reason(application, claim._replace(interpreter=interpreter), current.interpreter)


def _foreign_code(files: Listing, owned: set[str]) -> Iterable[str]:
    """Yield the *files* that Python or a shell would find, and that neither a package nor `venv` brought."""
    for path in sorted(files.keys() - owned):
        if source_of(path) is None and _is_searched(path, is_link=stat.S_ISLNK(files[path].st_mode)):
            yield path


SEARCHED_SUFFIXES = (*CODE_SUFFIXES, ".pyc", ".egg-link")
METADATA_SUFFIXES = (".dist-info", ".egg-info")
PIP_CONFIGURATION = "pip.conf"
"""The environment's pip would take its index from there."""


def _is_searched(path: str, *, is_link: bool) -> bool:
    """Return whether *path* is a script, configures pip, or is what an import or a search for metadata could find."""
    if path.startswith("bin/") or path == PIP_CONFIGURATION:
        return True
    _, site, inner = f"/{path}".partition("/site-packages/")
    metadata = inner.partition("/")[0].endswith(METADATA_SUFFIXES)
    return bool(site) and (is_link or metadata or path.endswith(SEARCHED_SUFFIXES))
