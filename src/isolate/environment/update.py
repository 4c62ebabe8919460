"""An environment becomes another: everything new is staged, then switched to."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from isolate import fs
from isolate.environment import records, staging
from isolate.environment.journal import STAGING, FileInTheWay, check_possible, finish_switch, plan_switch, switch
from isolate.environment.records import installed_files, manifest_path, template_files
from isolate.environment.stamp.mtimes import DirectoryMtimes, settled_mtime, watched
from isolate.environment.template import site_packages
from isolate.environment.verify import UnmanagedDistribution, lies_untouched, unowned
from isolate.errors import IsolateError, file_conflict
from isolate.store.manifest import LINKED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from isolate.environment.builder import EnvironmentBuilder
    from isolate.environment.records import Installed, State
    from isolate.plan import Plan, Target
    from isolate.store.manifest import Manifest
    from isolate.store.store import Entry


class Next(NamedTuple):
    """What an environment is to become.

    `state` lacks only what is installed; `remembered` are further records, by path below the environment; `forgotten`
    are records to delete. `damaged` are files that are not as they were installed. `times` are those of the directories
    of the environment before it was looked at.
    """

    plan: Plan
    state: State
    built: Mapping[str, Entry] = {}
    foreign: Sequence[UnmanagedDistribution] = ()
    remembered: Mapping[str, bytes] = {}
    forgotten: Sequence[str] = ()
    damaged: Collection[str] = ()
    times: Mapping[str, int] = {}


def create(
    builder: EnvironmentBuilder, coming: Next, old: State | None, *, at_last: Callable[[], None]
) -> dict[str, int]:
    """Make the application's environment anew, call *at_last*, put it in place by one rename, and return its times.

    What belongs to no distribution in the one that stands there moves along, and so do the distributions that others
    installed and that are not to be evicted; *old* is its record, if it is ours.
    """
    tree, venv = builder.staged_tree.stage(), builder.application.venv
    bootstrap_installed = dict(builder.staged_tree.bootstrap_installed)
    arriving = [target for target in coming.plan.install if not _is_in(bootstrap_installed, target)]
    if any(target.name == "pip" for target in arriving):
        _remove_files(tree, bootstrap_installed.pop("pip"))
    placed, _ = builder.linker.link(arriving, tree, coming.built)
    if venv.is_dir():
        _preserve_user_files(venv, tree, old, coming)
    _write_records(tree, coming, {**bootstrap_installed, **placed})
    times = {folder: settled_mtime(f"{tree}/{folder}") for folder in watched({**bootstrap_installed, **placed})}
    at_last()
    staging.put_in_place(builder.application)
    return times


def change(builder: EnvironmentBuilder, coming: Next, state: State, *, at_last: Callable[[], None]) -> dict[str, int]:
    """Change the application's environment, whose record is *state*, by a written list of renames.

    Before it is written, and after all that can be refused, *at_last* is called. Returns the times of the directories,
    of which those that changed by anything else are not known. Raises `InvalidDistribution` if a kept and a new
    distribution own the same file, `NotManaged` if an unowned file is in the way.
    """
    venv = builder.application.venv
    stage = venv / STAGING
    finish_switch(venv)
    try:
        stage.mkdir(parents=True)
        in_place = partial(_unchanged_files, venv, state, frozenset(coming.damaged))
        placed, staying = builder.linker.link(coming.plan.install, stage, coming.built, in_place)
        kept = {name: state.installed[name] for name in coming.plan.keep}
        _write_records(stage, coming, {**kept, **placed})
        leaving = _leaving(venv, state, coming) - staying
        site = site_packages(venv, state.interpreter)
        if site is None:
            raise IsolateError(f"{venv} has lost its site-packages", hint="run `isolate sync` again")
        try:
            steps = plan_switch(venv, leaving, [*_below(stage)], site)
        except FileInTheWay as found:
            staying_claims = _claims(venv, kept) | {one.name: one.files for one in coming.foreign}
            raise _claimed_twice(found, _claims(stage, placed), staying_claims) from None
        check_possible(str(venv), steps)
        watch = DirectoryMtimes(venv, watched({**kept, **placed}), coming.times, steps)
        arriving = (folder for folder in watched(placed) if not watch.moves_into(folder))
        arrived = {folder: settled_mtime(path) for folder in arriving if os.path.isdir(path := f"{stage}/{folder}")}
        at_last()
    except BaseException:
        fs.delete_tree(venv / records.WORK)
        raise
    switch(venv, steps)
    return {**coming.times, **arrived, **watch.times()}


def _claims(tree: Path, installed: Mapping[str, Installed]) -> dict[str, Collection[str]]:
    return {name: {file.path for file in installed_files(tree, one)} for name, one in installed.items()}


def _claimed_twice(
    found: FileInTheWay, arriving: Mapping[str, Collection[str]], staying: Mapping[str, Collection[str]]
) -> IsolateError:
    """Return what a file in the way is, told by what distributions claim: theirs both, else nobody's."""
    comes, stays = (
        next((name for name, files in claims.items() if found.path in files), None) for claims in (arriving, staying)
    )
    return file_conflict(found.path, comes, stays) if comes and stays else found


def update_state(venv: Path, state: State) -> None:
    """Make *state* the record of an environment whose contents stay, entirely or not at all."""
    fs.write(venv / records.STATE, state.to_json(), by=venv / records.WORK)
    (venv / records.WORK).rmdir()


MAX_IN_PLACE_FILES = 64
"""How many files of a distribution may be exchanged one by one, so that the moment between old and new stays short."""


def _unchanged_files(venv: Path, state: State, damaged: frozenset[str], entry: Entry) -> Collection[str]:
    """Return the files of *entry* that need not move: all but a few, or none; never one that is known to be *damaged*.

    A distribution with bytecode moves whole, because the bytecode does.
    """
    old = state.installed.get(entry.manifest.name)
    found = set() if state.bytecode or old is None else _common_files(venv, old, entry.manifest) - damaged
    return found if len(entry.manifest.files) - len(found) <= MAX_IN_PLACE_FILES else ()


def _common_files(venv: Path, old: Installed, new: Manifest) -> set[str]:
    """Return the files of *new* that are those of *old* too, and lie in the environment untouched."""
    before = {file for file in installed_files(venv, old) if file.kind in LINKED}
    return {file.path for file in new.files if file in before and lies_untouched(venv, file)}


def _leaving(venv: Path, state: State, coming: Next) -> set[str]:
    leaving = {file.path for name in coming.plan.remove for file in installed_files(venv, state.installed[name])}
    leaving |= {manifest_path(name) for name in coming.plan.remove}
    unmanaged_to_remove = {
        path for one in coming.foreign if one.name in coming.plan.remove_unmanaged for path in one.files
    }
    if unmanaged_to_remove:  # what a stranger claims may be ours
        unmanaged_to_remove -= {
            file.path for name in coming.plan.keep for file in installed_files(venv, state.installed[name])
        }
    return leaving | unmanaged_to_remove | {records.STATE, records.LOCK, *coming.forgotten}


def _write_records(tree: Path, coming: Next, installed: Mapping[str, Installed]) -> None:
    """Write what is to be remembered, the state last: with it the tree is an environment of ours, complete."""
    for path, content in coming.remembered.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(content)
    (tree / records.STATE).parent.mkdir(parents=True, exist_ok=True)
    (tree / records.STATE).write_bytes(coming.state._replace(installed=dict(installed)).to_json())


def _below(folder: Path) -> Iterable[str]:
    for where, _, files in os.walk(folder):
        for name in files:
            yield os.path.relpath(os.path.join(where, name), folder)


def _is_in(bootstrap_installed: Mapping[str, Installed], target: Target) -> bool:
    return target.name in bootstrap_installed and bootstrap_installed[target.name].key == target.key


def _remove_files(tree: Path, installed: Installed) -> None:
    for file in installed_files(tree, installed):
        (tree / file.path).unlink()
    (tree / manifest_path(installed.name)).unlink()


def _preserve_user_files(venv: Path, tree: Path, old: State | None, coming: Next) -> None:
    """Give the new *tree* all files of *venv* that it does not have itself, but those of distributions that leave."""
    leaving, staying = {file.path for file in template_files(venv)}, set[str]()
    for one in old.installed.values() if old else ():
        leaving |= {file.path for file in installed_files(venv, one)}
    for stranger in coming.foreign:
        (leaving if stranger.name in coming.plan.remove_unmanaged else staying).update(stranger.files)
    for path in unowned(venv, leaving - staying):
        target = tree / path
        if os.path.lexists(target):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if (venv / path).is_symlink():
            target.symlink_to(os.readlink(venv / path))
        else:
            os.link(venv / path, target)
