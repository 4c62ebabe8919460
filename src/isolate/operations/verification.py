"""Verify an environment whose records this user's isolate did not write: of an image, a CI cache, an earlier isolate.

Such records are claims. What the environment should contain is known without them: from the lock, the store and the
template of the interpreter. What matches is proven, however it got there.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from isolate.environment.link import DamagedEntry
from isolate.environment.proof import list_files, prove_entry, prove_template
from isolate.environment.records import State
from isolate.environment.stamp.mtimes import DirectoryMtimes, directory_mtimes
from isolate.environment.template import is_template_path, site_packages, template_of
from isolate.environment.verify import unmanaged_distributions, unsafe_directories
from isolate.file_owners import NOTHING, overridden_files
from isolate.interpreters.interpreter import Interpreter
from isolate.lock.precedence import precedence_of
from isolate.lock.select import select
from isolate.locked import LockedDistribution
from isolate.operations.current_state import UNVERIFIED, CurrentState, Rebuild, targets_for
from isolate.operations.foreign_code import foreign_code, unproven_bytecode
from isolate.operations.identify import with_known_hashes
from isolate.operations.inspect import DAMAGES, rebuild_reason
from isolate.parallel.map import parallel_map
from isolate.plan import Target
from isolate.store.layout import bytecode_key
from isolate.store.manifest import code_directories

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.pylock import Pylock

    from isolate.application import Application
    from isolate.environment.proof import Listing, ProvenDistribution
    from isolate.environment.verify import DamagedFile, UnmanagedDistribution
    from isolate.file_owners import Overridden
    from isolate.lock.precedence import Precedence
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


class Wanted(NamedTuple):
    """What an environment should contain: `targets`, of a `selection`; `precedence` says who owns a file of several."""

    targets: Sequence[Target]
    selection: Selection
    precedence: Precedence


def verify(application: Application, current: CurrentState, wanted: Wanted, store: Store) -> Verification:
    """Return what is proven about the environment of *application* that should contain what is *wanted*.

    *current* is what `inspect` said about it. Every file is read, and nothing is changed. Raises `DamagedEntry`, and
    `InvalidDistribution` if one distribution has a file where another has a directory.
    """
    venv, targets = application.venv, wanted.targets
    entries = [(target, entry) for target in targets if (entry := _entry(target, store)) is not None]
    directories = {directory for _, entry in entries for directory in code_directories(entry.manifest.files)}
    mtimes = DirectoryMtimes(directory_mtimes(venv, sorted(directories)))  # before anything in them is read
    files = list_files(venv)
    template, rebuild = _verify_template(application, current, files, store)
    overridden = _overridden(files, entries, wanted.precedence)
    proven = [dist for dist in _prove(venv, files, entries, overridden) if dist.is_present]
    state = State(
        venv=str(venv),
        interpreter=current.interpreter.to_dict(),
        selection=wanted.selection,
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
        code=tuple(foreign_code(files, owned)),
        compiled=unproven_bytecode(venv, files, owned, _bytecode(targets, store)),
    )


def _bytecode(targets: Iterable[Target], store: Store) -> Iterator[File]:
    """Yield the files of the bytecode that the store has for *targets*."""
    for target in targets:
        if not target.is_local and (entry := store.entry(bytecode_key(target.key))) is not None:
            yield from entry.manifest.files


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
            whole = [target for target in targets if target.key not in damaged]
            found = verify(application, current, Wanted(whole, selection, precedence_of(lock)), store)
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


def _overridden(
    files: Listing, entries: Sequence[tuple[Target, Entry]], precedence: Precedence
) -> dict[str, Overridden]:
    """Return the overridden files of those of *entries* that are in an environment with these *files*.

    An entry is not there if none of the files is that it alone has.
    """
    paths = {target.name: [file.path for file in entry.manifest.files] for target, entry in entries}
    installers = Counter(path for own in paths.values() for path in own)
    present = {name: own for name, own in paths.items() if any(installers[path] == 1 and path in files for path in own)}
    return overridden_files(present, precedence)


def _prove(
    venv: Path, files: Listing, entries: Sequence[tuple[Target, Entry]], overridden: Mapping[str, Overridden]
) -> Sequence[ProvenDistribution]:
    def prove(pair: tuple[Target, Entry]) -> ProvenDistribution:
        target, entry = pair
        return prove_entry(venv, files, entry, target.key, overridden.get(target.name, NOTHING))

    return parallel_map(prove, entries)


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
