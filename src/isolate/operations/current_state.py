"""The current state of an application: its interpreter, its environment, and what is wrong with it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from isolate.environment.shared_files import files_of_wrong_owner, has_overridden
from isolate.interpreters.interpreter import Interpreter
from isolate.lock.local_sources import content_digest, metadata_digest
from isolate.locked import LockedDistribution, needs
from isolate.plan import TREE_PREFIX, InstalledRef, InstalledState, Plan, Target, make_plan
from isolate.store.entry import same_version
from isolate.store.keys import tag_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from isolate.environment.installed import Installed
    from isolate.environment.records import State
    from isolate.environment.stamp.mtimes import DirectoryMtimes
    from isolate.environment.verify import DamagedFile, UnmanagedDistribution
    from isolate.interpreters.interpreter import Choice
    from isolate.lock.precedence import Precedence
    from isolate.store.keys import EntryKeys
    from isolate.store.store import Store


class Rebuild(NamedTuple):
    """Why an environment has to be recreated: the `code` of the finding, and the `reason` for people."""

    code: str
    reason: str


UNVERIFIED = Rebuild("unverified", "this user's isolate did not write its records")
"""Used for an environment that an isolate created, until it is verified."""

FIRST = Rebuild("missing-environment", "there was none")
"""Used for the first sync; not shown to the user as a reason to recreate the environment."""


class CurrentState(NamedTuple):
    """The current state of an application, before a command changes anything.

    `state` is the record of the environment, None if isolate did not create one. `rebuild` says why the environment has
    to be recreated; None if it can be changed in place. `mtimes` are the modification times (nanoseconds) of its
    directories, read before anything in them was. `claim` is a record that is not verified: see `claimed_state`.
    `verified` tells that `state` was proven without a record; `unproven` are the packages that the store lacks.
    """

    choice: Choice
    state: State | None
    rebuild: Rebuild | None
    mtimes: DirectoryMtimes
    damaged_files: tuple[DamagedFile, ...] = ()
    unmanaged: tuple[UnmanagedDistribution, ...] = ()
    claim: State | None = None
    verified: bool = False
    unproven: tuple[str, ...] = ()

    @property
    def interpreter(self) -> Interpreter:
        """Return the interpreter that was chosen."""
        return self.choice.interpreter

    def with_requested_options(self, *, link_mode: str | None, bytecode: bool = False) -> CurrentState:
        """Return this state, to be recreated if the environment was made with other options.

        None asks for no particular *link_mode*.
        """
        if self.state is None or self.rebuild:
            return self
        if bytecode and not self.state.bytecode:
            return self._replace(rebuild=Rebuild("options-changed", "to compile its bytecode"))
        if link_mode not in (None, self.state.link_mode):
            return self._replace(rebuild=Rebuild("options-changed", f"link mode {self.state.link_mode} → {link_mode}"))
        return self

    def plan(self, targets: Iterable[Target], store: Store, *, inexact: bool = False) -> Plan:
        """Return what has to change for the environment to hold *targets*; with *inexact*, other packages stay.

        What is installed from a target's artifact stays, although other build settings apply now. The entry that the
        environment's record names serves to install it again.
        """
        installed = {} if self.state is None else self.state.installed
        targets = [_stored(target, installed.get(target.name), store) for target in targets]
        if self.rebuild:
            return self._plan_rebuild(targets, store, inexact=inexact)
        by_name = {target.name: target for target in targets}
        return make_plan(
            targets,
            InstalledState(
                managed=_present(
                    dist._replace(key=by_name[name].key) if _is_from(dist, by_name.get(name)) else dist
                    for name, dist in installed.items()
                ),
                unmanaged=_unmanaged(self.unmanaged),
                damaged={damage.name for damage in self.damaged_files if damage.name},
            ),
            is_stored=store.has,
            inexact=inexact,
        )

    def _plan_rebuild(self, targets: Sequence[Target], store: Store, *, inexact: bool) -> Plan:
        """Return what a new environment gets, and what of the existing one it will not have.

        With *inexact*, a package that is not a target stays: it is installed from the store, or, if another tool
        installed it, its files are kept. Both only work for the same kind of interpreter.
        """
        state, wanted = self.state, {target.name for target in targets}
        stays = inexact and state is not None and _has_tag_of(state, self.interpreter)
        removed = [dist for dist in self.unmanaged if not stays or dist.name in wanted]
        others = wanted | {dist.name for dist in self.unmanaged}
        undeclared = [] if state is None else [dist for name, dist in state.installed.items() if name not in others]
        kept = [dist for dist in undeclared if stays and store.has(dist.key)]
        return make_plan(
            [*targets, *map(_keep, kept)],
            InstalledState(
                managed=_present(dist for dist in undeclared if dist not in kept),
                unmanaged=_unmanaged(removed),
            ),
            is_stored=store.has,
        )

    def with_owners(self, precedence: Precedence, *, inexact: bool) -> CurrentState:
        """Return this state, in which a file of another owner than the one due by *precedence* counts as damaged.

        A new lock can say otherwise which of two distributions depends on the other. Unless *inexact*, an owner that
        it lacks is about to be removed, and its files with it.
        """
        if self.state is None or self.rebuild or not has_overridden(self.state):
            return self
        misplaced = dict.fromkeys(files_of_wrong_owner(self.state, precedence, inexact=inexact))
        return self._replace(damaged_files=tuple({**dict.fromkeys(self.damaged_files), **misplaced}))

    def target_for(self, name: str, kept: Iterable[Target]) -> Target:
        """Return the installed distribution *name* as a target, from the entry that it was installed from if possible.

        *kept* are the targets of the plan that stay.
        """
        if self.state is None:
            raise ValueError("an application without an environment has no packages")
        return next((target for target in kept if target.name == name), None) or _keep(self.state.installed[name])

    def own_pip(self) -> Target:
        """Return the environment's own pip as a target, so that a plan keeps it."""
        if self.state is None:
            raise ValueError("an application without an environment has no pip")
        return _keep(self.state.installed["pip"])


def _keep(dist: Installed) -> Target:
    """Return the target that an installed distribution already is."""
    locked = LockedDistribution(name=dist.name, version=dist.version, source_id=dist.source_id, table={})
    return Target(locked=locked, key=dist.key)


def _present(installed: Iterable[Installed]) -> dict[str, InstalledRef]:
    return {dist.name: InstalledRef(name=dist.name, version=dist.version, key=dist.key) for dist in installed}


def _has_tag_of(state: State, interpreter: Interpreter) -> bool:
    return Interpreter.from_dict(state.interpreter).completed(interpreter).compat_tag == interpreter.compat_tag


def _is_from(installed: Installed | None, target: Target | None) -> bool:
    """Return whether *installed* is in the environment from the artifact of *target*, which has an entry."""
    if installed is None or target is None or any(key.startswith(TREE_PREFIX) for key in (installed.key, target.key)):
        return False
    return installed.source_id == target.locked.source_id and same_version(target.locked.version, installed.version)


def _stored(target: Target, installed: Installed | None, store: Store) -> Target:
    """Return *target* with the key of the entry that it is *installed* from if the store only has that one.

    An entry for another kind of interpreter does not serve.
    """
    if installed is None or installed.key == target.key or not _is_from(installed, target):
        return target
    if tag_of(installed.key) != tag_of(target.key):
        return target
    return target._replace(key=installed.key) if store.has(installed.key) and not store.has(target.key) else target


def _unmanaged(unmanaged: Iterable[UnmanagedDistribution]) -> tuple[InstalledRef, ...]:
    return tuple(InstalledRef(name=dist.name, version=dist.version, key=None) for dist in unmanaged)


def targets_for(locked: Sequence[LockedDistribution], keys: EntryKeys) -> list[Target]:
    """Return *locked* as targets, each with its key: that of its store entry, or the state of its source tree."""
    by_name = {dist.name: dist for dist in locked}
    return [Target(locked=dist, key=_key(dist, keys, by_name)) for dist in locked]


def _key(dist: LockedDistribution, keys: EntryKeys, locked: Mapping[str, LockedDistribution]) -> str:
    if dist.directory is None and not keys.is_unshared(dist):
        return keys.key(dist)
    if dist.directory is None:
        digest = keys.key(dist)
    elif dist.editable:
        digest = metadata_digest(dist.directory).partition("+")[0]
    else:
        digest = content_digest(dist.directory)
    if dist.name in keys.no_build_isolation:
        needed = sorted(f"{name} {locked[name].source_id}" for name in needs(dist.name, locked))
        digest = hashlib.sha256(repr((digest, needed)).encode()).hexdigest()
    return f"{TREE_PREFIX}{digest}:{dist.source_id}"
