"""Create an environment beside the existing one, then put it in place by one rename."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

from isolate.environment import staging
from isolate.environment.file_records import has_manifest, installed_files, template_files
from isolate.environment.link import FileConflict
from isolate.environment.movable import ensure_deletable
from isolate.environment.pycache import source_of
from isolate.environment.shared_files import decide_owners, environment_conflict, has_overridden
from isolate.environment.stamp.mtimes import settled_mtime, watched_directories
from isolate.environment.template import is_template_path
from isolate.environment.update import write_records
from isolate.environment.verify import files_by_record, unowned_files
from isolate.environment.write_back import write_back

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from isolate.environment.builder import EnvironmentBuilder
    from isolate.environment.desired_state import DesiredState
    from isolate.environment.installed import Installed
    from isolate.environment.records import State


def create(
    builder: EnvironmentBuilder, desired: DesiredState, old: State | None, *, before_commit: Callable[[], None]
) -> None:
    """Create the application's environment as *desired*, call *before_commit*, and put the environment in place.

    *old* is the record of the existing environment, None if isolate did not create it. Files in it that no distribution
    owns are preserved, and so are unmanaged distributions that the plan does not remove. The mtimes of *desired* are
    updated. Raises `InvalidDistribution` for a file that is in the way.
    """
    venv = builder.application.venv
    tree, installed = _link(builder, desired, old)
    if venv.is_dir():
        _preserve_user_files(venv, tree, old, desired)
    write_records(tree, desired, installed)
    write_back(tree, installed)
    mtimes = {directory: settled_mtime(f"{tree}/{directory}") for directory in watched_directories(installed)}
    ensure_deletable(str(venv))
    before_commit()
    staging.put_in_place(builder.application)
    desired.mtimes.record(mtimes)


def _link(builder: EnvironmentBuilder, desired: DesiredState, old: State | None) -> tuple[Path, dict[str, Installed]]:
    """Link all of *desired* into a new tree, with the seed pip unless another is desired; return both.

    If the *old* environment has files of several distributions, the new one is expected to have some, too.
    """
    targets = [*desired.plan.install]
    if not any(target.name == "pip" for target in targets):
        targets.append(builder.pips.ensure_seed())
    if old is None or not has_overridden(old):
        tree = builder.staged_tree.stage()
        with contextlib.suppress(FileConflict):
            return tree, builder.linker.link(targets, tree, desired.built).installed
    shared = decide_owners(builder, desired, targets)
    tree = builder.staged_tree.stage()
    try:
        linked = builder.linker.link(targets, tree, desired.built, overridden=shared.overridden)
    except FileConflict as conflict:
        raise environment_conflict(conflict) from None
    for line in shared.warnings:
        builder.progress.say(line)
    return tree, linked.installed


def _preserve_user_files(venv: Path, tree: Path, old: State | None, desired: DesiredState) -> None:
    """Add to *tree* every file of *venv* that *tree* lacks, except those of distributions that are removed."""
    template, kept = template_files(venv), set[str]()
    removed = {file.path for file in template or ()}
    for installed in old.installed.values() if old else ():
        removed |= {file.path for file in installed_files(venv, installed)}
        if not has_manifest(venv, installed):
            removed |= files_by_record(venv, installed)
    for dist in desired.unmanaged:
        (removed if dist.name in desired.plan.remove_unmanaged else kept).update(dist.files)
    unowned = unowned_files(venv, removed - kept)
    if template is None:
        unowned = [path for path in unowned if not is_template_path(path)]
    for path in [path for path in unowned if not _is_in(tree, path)]:
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if (venv / path).is_symlink():
            target.symlink_to(os.readlink(venv / path))
        else:
            _link_or_copy(venv / path, target)


def _is_in(tree: Path, path: str) -> bool:
    """Return whether *tree* has the file *path*, or the module that it was compiled from."""
    return any(os.path.lexists(tree / name) for name in (path, source_of(path)) if name is not None)


def _link_or_copy(path: Path, target: Path) -> None:
    """Link the file *path* as *target*, or copy it if the environment is a mount."""
    try:
        os.link(path, target)
    except OSError as error:
        if error.errno != errno.EXDEV or not path.is_file():
            raise
        from shutil import copy2

        copy2(path, target)
