"""Which files of a git repository have changed since a revision, found out without the repository's own programs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from isolate.errors import IsolateError
from isolate.git import GitFailed, repository_around, run_git
from isolate.git_index import LIST_ARGUMENTS, SUBMODULE, is_changed, parse_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class NoRepository(IsolateError):
    """A question about changes needs a git repository, and the directory is not in one."""

    code = "no-repository"
    remedy = "Name a directory in a git repository."


def changed_files(directories: Iterable[Path], revision: str) -> tuple[set[str], set[str]]:
    """Return the real paths of what has changed since *revision* in the repositories around *directories*.

    The first set has tracked files; a changed submodule is in it as one path, its directory. The second set has
    untracked files that are not ignored. A file that was written to and that git would convert (line ends, filters)
    counts as changed, because a filter is a program that the repository names.

    Raises:
        NoRepository: One of *directories* is not in a repository.
        GitFailed: A repository does not know *revision*.
    """
    tracked: set[str] = set()
    untracked: set[str] = set()
    for top in sorted({_superproject(repository) for repository in {_repository_of(path) for path in directories}}):
        commit = run_git(
            top,
            ["rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}"],
            hint="name a revision that git knows",
        ).strip()
        tracked |= _absolute(top, _changed_in(top, commit))
        untracked |= _absolute(top, _untracked_in(top))
    return tracked, untracked


def _changed_in(top: str, commit: str) -> Iterator[str]:
    """Yield the tracked paths, relative to *top*, that differ between *commit*, the index and the working tree."""
    yield from _words(run_git(top, ["diff-index", "--cached", "--no-renames", "--name-only", "-z", commit, "--"]))
    index_mtime = _mtime(os.path.join(top, run_git(top, ["rev-parse", "--git-path", "index"]).rstrip("\n")))
    has_modes = run_git(top, ["config", "--type=bool", "--get", "core.fileMode"]).strip() != "false"
    for entry in parse_index(run_git(top, LIST_ARGUMENTS)):
        if entry.kind == SUBMODULE:
            if _is_changed_submodule(f"{top}/{entry.path}", entry.name):
                yield entry.path
        elif is_changed(entry, top, index_mtime=index_mtime, has_modes=has_modes):
            yield entry.path


def _mtime(path: str) -> int:
    """Return the mtime (ns) of *path*; 0, the oldest, if there is no such file."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def _is_changed_submodule(directory: str, commit: str) -> bool:
    """Return whether the submodule in *directory* is at another *commit*, or has changes of its own."""
    if not os.path.lexists(f"{directory}/.git"):
        return False
    head = run_git(directory, ["rev-parse", "--verify", "--end-of-options", "HEAD^{commit}"]).strip()
    return head != commit or any(_changed_in(directory, head)) or any(_untracked_in(directory))


def _untracked_in(top: str) -> Iterator[str]:
    return _words(run_git(top, ["ls-files", "--others", "--exclude-standard", "-z"]))


def _words(output: str) -> Iterator[str]:
    return (word for word in output.split("\0") if word)


def _repository_of(directory: Path) -> str:
    repository = repository_around(os.path.realpath(directory))
    if repository is None:
        raise NoRepository(
            f"{directory} is not in a git repository, so its changes are not known",
            hint="name a directory in a git repository, or leave out --changed-since",
        )
    return repository


def _superproject(repository: str) -> str:
    """Return the root of the outermost repository that has *repository* as a submodule, where revisions are resolved.

    It is *repository* itself if that is not a submodule. Raises `GitFailed` if the configuration of the repository
    names another working tree, which could be the whole file system.
    """
    while parent := run_git(repository, ["rev-parse", "--show-superproject-working-tree"]).rstrip("\n"):
        repository = parent
    top = os.path.realpath(run_git(repository, ["rev-parse", "--show-toplevel"]).rstrip("\n"))
    if top != os.path.realpath(repository):
        raise GitFailed(
            f"{repository} is a git repository with another working tree, {top}",
            hint="remove core.worktree from its configuration",
        )
    return top


def _absolute(top: str, names: Iterable[str]) -> set[str]:
    """Return the paths of *names*, which are relative to *top*."""
    return {os.path.join(top, name).rstrip("/") for name in names}
