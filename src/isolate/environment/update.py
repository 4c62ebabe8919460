"""Change an environment in place: stage what is new beside it, then move it in by a journal."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from isolate.environment import records
from isolate.environment.file_records import installed_files, template_files
from isolate.environment.journal import commit, delete_work, replay
from isolate.environment.journal_plan import FileInTheWay, plan_steps
from isolate.environment.link import FileConflict
from isolate.environment.movable import check_permissions
from isolate.environment.records import manifest_path
from isolate.environment.shared_files import SharedFiles, decide_owners, environment_conflict, has_overridden
from isolate.environment.stamp.mtimes import MoveTracker, settled_mtime, watched_directories
from isolate.environment.template import site_packages
from isolate.environment.verify import is_unchanged
from isolate.environment.write_back import write_back
from isolate.errors import ConcurrentChange, file_conflict
from isolate.file_owners import NOTHING, paths_of
from isolate.store.manifest import LINKED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

    from isolate.environment.builder import EnvironmentBuilder
    from isolate.environment.desired_state import DesiredState
    from isolate.environment.installed import Installed
    from isolate.environment.records import State
    from isolate.environment.steps import Step
    from isolate.errors import InvalidDistribution
    from isolate.file_owners import Overridden
    from isolate.store.entry import Entry
    from isolate.store.manifest import Manifest

MAX_IN_PLACE_FILES = 64
"""How many files of a distribution may be replaced one by one. More would make the change take too long."""


class _StagedChange(NamedTuple):
    """What is ready to be moved in. `staged_mtimes` are those of directories that move as a whole."""

    steps: list[Step]
    staged_mtimes: Mapping[str, int]
    tracker: MoveTracker


def update(
    builder: EnvironmentBuilder, desired: DesiredState, state: State, *, before_commit: Callable[[], None]
) -> None:
    """Make the application's environment, whose record is *state*, what is *desired*.

    *before_commit* is called after every check has passed and before the journal is written. The mtimes of *desired*
    are updated, `UNKNOWN_MTIME` for directories that something else changed. Raises `MustReinstall`,
    `InvalidDistribution` if a file of an unmanaged distribution is in the way, `NotManaged` if an unowned one is.
    """
    venv = builder.application.venv
    replay(venv)
    try:
        change = _stage(builder, desired, state)
        before_commit()
    except BaseException:
        delete_work(venv)
        raise
    commit(venv, change.steps)
    desired.mtimes.record({**change.staged_mtimes, **change.tracker.mtimes()})


def _stage(builder: EnvironmentBuilder, desired: DesiredState, state: State) -> _StagedChange:
    """Stage what is new, and plan how to move it in; the environment itself stays as it is."""
    venv, plan = builder.application.venv, desired.plan
    if not has_overridden(state):
        try:
            return _stage_with(SharedFiles(), builder, desired, state)
        except (FileConflict, FileInTheWay):
            delete_work(venv)
    shared = decide_owners(builder, desired, plan.install, {name: state.installed[name] for name in plan.keep})
    try:
        change = _stage_with(shared, builder, desired, state)
    except FileConflict as conflict:
        raise environment_conflict(conflict) from None
    for line in shared.warnings:
        builder.progress.say(line)
    return change


def _stage_with(shared: SharedFiles, builder: EnvironmentBuilder, desired: DesiredState, state: State) -> _StagedChange:
    """Stage as `_stage` does, where *shared* says who owns what."""
    venv = builder.application.venv
    stage = venv / records.STAGING
    stage.mkdir(parents=True)
    overridden = shared.overridden
    unchanged_files = partial(_unchanged_files, venv, state, frozenset(desired.damaged_files), overridden)
    linked = builder.linker.link(desired.plan.install, stage, desired.built, unchanged_files, overridden=overridden)
    before = {name: state.installed[name] for name in desired.plan.keep}
    kept = {name: dist._replace(overridden=overridden.get(name, NOTHING)) for name, dist in before.items()}
    write_records(stage, desired, {**kept, **linked.installed})
    write_back(stage, linked.installed)
    site = site_packages(venv, state.interpreter)
    if site is None:
        raise ConcurrentChange(f"{venv} has no site-packages directory", hint="run `isolate sync` again")
    try:
        removed = _removed_files(venv, state, desired) - linked.unchanged | _lost_files(before, kept)
        steps = plan_steps(venv, removed, [*_files_below(stage)], site)
    except FileInTheWay as error:
        unmanaged = {dist.name: dist.files for dist in desired.unmanaged}
        raise _conflict_or(error, _files_by_name(stage, linked.installed), unmanaged) from None
    check_permissions(venv, steps)
    tracker = MoveTracker(venv, watched_directories({**kept, **linked.installed}), desired.mtimes, steps)
    return _StagedChange(steps, _staged_mtimes(stage, linked.installed, tracker), tracker)


def _staged_mtimes(stage: Path, installed: Mapping[str, Installed], tracker: MoveTracker) -> dict[str, int]:
    """Return the mtimes of the directories of *installed* that move as a whole from *stage* to the environment."""
    moved = (directory for directory in watched_directories(installed) if not tracker.moves_into(directory))
    return {directory: settled_mtime(path) for directory in moved if os.path.isdir(path := f"{stage}/{directory}")}


def _lost_files(before: Mapping[str, Installed], kept: Mapping[str, Installed]) -> set[str]:
    """Return the files that distributions that stay own *before*, and not when they are *kept*."""
    lost = (paths_of(dist.overridden) - paths_of(before[name].overridden) for name, dist in kept.items())
    return {path for paths in lost for path in paths}


def _files_by_name(tree: Path, installed: Mapping[str, Installed]) -> dict[str, Collection[str]]:
    return {name: {file.path for file in installed_files(tree, dist)} for name, dist in installed.items()}


def _conflict_or(
    error: FileInTheWay, new: Mapping[str, Collection[str]], unmanaged: Mapping[str, Collection[str]]
) -> FileInTheWay | InvalidDistribution:
    """Return an error that names the *new* and the *unmanaged* distribution that own the file; else *error* itself."""
    new_owner, other = (
        next((name for name, files in owners.items() if error.path in files), None) for owners in (new, unmanaged)
    )
    return file_conflict(error.path, new_owner, other) if new_owner and other else error


def _unchanged_files(
    venv: Path, state: State, damaged: frozenset[str], overridden: Mapping[str, Overridden], entry: Entry
) -> Collection[str]:
    """Return the files of *entry* that can stay where they are: all but a few, or none, and no *damaged* one.

    A distribution with bytecode moves as a whole, because its bytecode does.
    """
    old = state.installed.get(entry.manifest.name)
    if state.bytecode or old is None:
        return ()
    of_others = paths_of(overridden.get(entry.manifest.name, NOTHING))
    unchanged = _common_files(venv, old, entry.manifest) - damaged - of_others
    return unchanged if len(entry.manifest.files) - len(of_others) - len(unchanged) <= MAX_IN_PLACE_FILES else ()


def _common_files(venv: Path, old: Installed, new: Manifest) -> set[str]:
    """Return the files that *old* and *new* share and that are unchanged in the environment."""
    before = {file for file in installed_files(venv, old) if file.kind in LINKED}
    return {file.path for file in new.files if file in before and is_unchanged(venv, file)}


def _removed_files(venv: Path, state: State, desired: DesiredState) -> set[str]:
    """Return the files to move away: those of removed and replaced distributions, and the records to replace."""
    plan = desired.plan
    removed = {file.path for name in plan.remove for file in installed_files(venv, state.installed[name])}
    removed |= {manifest_path(name) for name in (*plan.remove, *(target.name for target in plan.install))}
    unmanaged = {path for dist in desired.unmanaged if dist.name in plan.remove_unmanaged for path in dist.files}
    if unmanaged:  # the RECORD of an unmanaged distribution may list anything
        unmanaged -= _files_that_stay(venv, state, desired)
    return removed | unmanaged | {records.STATE, records.LOCK, *desired.expired_records}


def _files_that_stay(venv: Path, state: State, desired: DesiredState) -> set[str]:
    """Return the files of the distributions that stay, and those that `venv` created."""
    plan = desired.plan
    files = {file.path for name in plan.keep for file in installed_files(venv, state.installed[name])}
    files |= {path for dist in desired.unmanaged if dist.name not in plan.remove_unmanaged for path in dist.files}
    return files | {file.path for file in template_files(venv) or ()}


def write_records(tree: Path, desired: DesiredState, installed: Mapping[str, Installed]) -> None:
    """Write the records of *desired* into *tree*; the state comes last, because it marks the tree as complete."""
    state = desired.state._replace(installed=dict(installed))
    for path, content in {**desired.new_records, records.STATE: state.to_record()}.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(content)


def _files_below(root: Path) -> Iterator[str]:
    for directory, _, names in os.walk(root):
        for name in names:
            yield os.path.relpath(os.path.join(directory, name), root)


def update_state(venv: Path, state: State) -> None:
    """Replace the record of an environment whose contents stay."""
    records.replace_record(venv, records.STATE, state.to_record())
