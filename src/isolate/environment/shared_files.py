"""Decide who owns the files that several distributions of an environment install.

Nearly no environment has such files, so nothing looks for them: a file that is in the way of another one tells.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from isolate.environment.file_records import installed_manifest
from isolate.environment.verify import DamagedFile
from isolate.errors import file_conflict
from isolate.file_owners import NOTHING, content_warnings, misplaced_files, overridden_files, paths_of
from isolate.store.manifest import digests_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from isolate.environment.builder import EnvironmentBuilder
    from isolate.environment.desired_state import DesiredState
    from isolate.environment.installed import Installed
    from isolate.environment.link import FileConflict
    from isolate.environment.records import State
    from isolate.errors import InvalidDistribution
    from isolate.file_owners import Overridden
    from isolate.lock.precedence import Precedence
    from isolate.plan import Target


class SharedFiles(NamedTuple):
    """The overridden files of each distribution of an environment, and the `warnings` to show about them."""

    overridden: Mapping[str, Overridden] = {}
    warnings: tuple[str, ...] = ()


class MustReinstall(Exception):
    """Distributions that stay, `names`, own files that they did not own before. The environment has not changed."""

    def __init__(self, names: Collection[str]) -> None:
        super().__init__(names)
        self.names = tuple(names)


def has_overridden(state: State) -> bool:
    """Return whether the record *state* has files that several distributions install."""
    return any(dist.overridden for dist in state.installed.values())


def decide_owners(
    builder: EnvironmentBuilder,
    desired: DesiredState,
    targets: Iterable[Target],
    kept: Mapping[str, Installed] | None = None,
) -> SharedFiles:
    """Return who owns the files of *targets*, which are about to be linked, and of those *kept* in the environment.

    Raises `InvalidDistribution` if a file of one is where another has a directory, and `MustReinstall`.
    """
    kept = kept or {}
    new = builder.linker.digests(targets, desired.built)
    digests = {**_digests_of_kept(builder.application.venv, kept), **new}
    overridden = overridden_files(digests, desired.precedence)
    if restored := [name for name, dist in kept.items() if paths_of(dist.overridden) - _paths(overridden, name)]:
        raise MustReinstall(restored)
    changed = {*new, *(name for name, dist in kept.items() if paths_of(dist.overridden) != _paths(overridden, name))}
    return SharedFiles(overridden, tuple(content_warnings(digests, overridden, changed)))


def _digests_of_kept(venv: Path, kept: Mapping[str, Installed]) -> dict[str, dict[str, str]]:
    manifests = {name: installed_manifest(venv, dist) for name, dist in kept.items()}
    return {name: {} if manifest is None else digests_of(manifest) for name, manifest in manifests.items()}


def _paths(overridden: Mapping[str, Overridden], name: str) -> frozenset[str]:
    return paths_of(overridden.get(name, NOTHING))


def files_of_wrong_owner(state: State, precedence: Precedence, *, inexact: bool) -> list[DamagedFile]:
    """Return the files that have other content than if the distributions that are due by *precedence* owned them.

    The other one's content may be the same. Then it does not matter who owns the file. Unless *inexact*, files of an
    owner that the lock lacks do not count.
    """
    overridden = {name: dist.overridden for name, dist in state.installed.items() if dist.overridden}
    stays = {name for name in state.installed if inexact or precedence.knows(name)}
    due = {name for name in stays if precedence.knows(name)}  # no sync installs another one again
    misplaced = [
        (path, owner, name)
        for path, owner, name in misplaced_files(overridden, precedence)
        if owner in stays and name in due
    ]
    names = {name for _, *both in misplaced for name in both}
    digests = _digests_of_kept(Path(state.venv), {name: state.installed[name] for name in names})
    return [
        DamagedFile(name=name, path=path, code="modified-file")
        for path, owner, name in misplaced
        if digests[owner].get(path) != digests[name].get(path)
    ]


def environment_conflict(conflict: FileConflict) -> InvalidDistribution:
    """Return the error for a file that is in the way, and that no distribution owns."""
    return file_conflict(conflict.path, conflict.name, "the environment itself")
