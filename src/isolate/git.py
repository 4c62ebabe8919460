"""What git knows about directories: which of them it ignores, and which of their files have changed.

git is asked about each directory in the repository that contains it. Repositories can be nested, as submodules are.
"""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from isolate.errors import IsolateError, ProgramNotStarted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

REPOSITORY_VARIABLES = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_ATTR_SOURCE",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_DIR",
        "GIT_GLOB_PATHSPECS",
        "GIT_GRAFT_FILE",
        "GIT_ICASE_PATHSPECS",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_LITERAL_PATHSPECS",
        "GIT_NAMESPACE",
        "GIT_NOGLOB_PATHSPECS",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
"""Variables that are about one repository and one command, such as those that git sets for a hook.

A git that works on another repository would read or write the hook's repository because of them. They are those of
`git rev-parse --local-env-vars` and some that it leaves out. As git does for submodules, isolate keeps
`GIT_CONFIG_PARAMETERS` and `GIT_CONFIG_COUNT`: they hold settings (`git -c`), with which CI passes tokens.
"""


class GitFailed(IsolateError):
    """A git command failed."""

    code = "git-failed"
    remedy = "Run the git command that the message names to see why it fails."


class NoRepository(IsolateError):
    """A question about changes needs a git repository, and the directory is not in one."""

    code = "no-repository"
    remedy = "Name a directory in a git repository."


class UntrustedRepository(IsolateError):
    """git rejects the owner of a repository."""

    code = "untrusted-repository"
    remedy = "Run the command that git suggests if you trust that user."


def without_repository_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return *environ* for a program that works on another repository than the one whose hook runs isolate."""
    return {name: value for name, value in environ.items() if name not in REPOSITORY_VARIABLES}


def ignored_paths(directories: Iterable[Path], root: Path) -> set[Path]:
    """Return those of *directories*, which are below *root*, that git ignores.

    A directory in a nested repository is ignored too if that whole repository is. The result is empty if git is not
    installed or fails.
    """
    top = os.path.realpath(root)
    below_top = os.path.join(top, "")
    questions: dict[str, dict[str, list[Path]]] = {}  # for each repository, its paths to ask about
    realpath: Callable[[str], str] = functools.cache(os.path.realpath)
    repository_around = functools.cache(_repository_around)
    for directory in directories:
        parent, name = os.path.split(directory)
        path = os.path.join(realpath(parent), name)  # a symbolic link can be ignored itself, unlike its target
        while path != top and (repository := repository_around(os.path.dirname(path))) is not None:
            questions.setdefault(repository, {}).setdefault(path, []).append(directory)
            if not repository.startswith(below_top):
                break
            path = repository
    return {
        directory
        for repository, paths in questions.items()
        for path in _ignored_in(repository, list(paths))
        for directory in paths[path]
    }


def _ignored_in(repository: str, paths: Sequence[str]) -> list[str]:
    try:
        output = _git(repository, ["check-ignore", "-z", "--stdin"], "".join(f"{path}\0" for path in paths))
    except (GitFailed, ProgramNotStarted):
        return []
    ignored = set(output.split("\0")) if output else set()
    # The output of programs is decoded with replacement characters, so the path is too.
    return [path for path in paths if ignored and os.fsencode(path).decode(errors="replace") in ignored]


def _repository_around(directory: str) -> str | None:
    """Return the root of the repository around *directory* (a real path), by its `.git`; None if there is none."""
    while not os.path.lexists(os.path.join(directory, ".git")):
        if directory == os.path.dirname(directory):
            return None
        directory = os.path.dirname(directory)
    return directory


def changed_files(directories: Iterable[Path], revision: str) -> tuple[set[str], set[str]]:
    """Return the real paths of what has changed since *revision* in the repositories around *directories*.

    The first set has tracked files; a changed submodule is in it as one path, its directory. The second set has
    untracked files that are not ignored.

    Raises:
        NoRepository: One of *directories* is not in a repository.
        GitFailed: A repository does not know *revision*.
    """
    tracked: set[str] = set()
    untracked: set[str] = set()
    for top in sorted({_superproject(repository) for repository in {_repository_of(path) for path in directories}}):
        commit = _git(
            top,
            ["rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}"],
            hint="name a revision that git knows",
        ).strip()
        compare = ["diff", "--no-renames", "--ignore-submodules=none", "--name-only", "-z", commit, "--"]
        tracked |= _absolute(top, _git(top, compare))
        untracked |= _absolute(top, _git(top, ["ls-files", "--others", "--exclude-standard", "-z"]))
    return tracked, untracked


def _repository_of(directory: Path) -> str:
    repository = _repository_around(os.path.realpath(directory))
    if repository is None:
        raise NoRepository(
            f"{directory} is not in a git repository, so its changes are not known",
            hint="name a directory in a git repository, or leave out --changed-since",
        )
    return repository


def _superproject(repository: str) -> str:
    """Return the root of the outermost repository that has *repository* as a submodule, where revisions are resolved.

    It is *repository* itself if that is not a submodule.
    """
    while parent := _git(repository, ["rev-parse", "--show-superproject-working-tree"]).rstrip("\n"):
        repository = parent
    return os.path.realpath(_git(repository, ["rev-parse", "--show-toplevel"]).rstrip("\n"))


def _absolute(top: str, names: str) -> set[str]:
    """Return the paths of *names*, which are separated by NUL and relative to *top*."""
    return {os.path.join(top, name).rstrip("/") for name in names.split("\0") if name}


def _git(
    directory: str,
    arguments: Sequence[str],
    stdin: str = "",
    hint: str = "fix this, then run the command again",
) -> str:
    """Return the output of git in *directory*. Exit status 1 means "no", and counts as success.

    Raises:
        GitFailed: git exited with another status; the error has *hint*.
        UntrustedRepository: git rejects the owner of the repository; the hint is the command that git suggests.
        ProgramNotStarted: git is not installed.
    """
    from isolate import process

    environ = without_repository_variables(os.environ)
    done = process.run(("git", *arguments), env=environ, cwd=Path(directory), stdin=stdin)
    if done.status in (0, 1):
        return done.output
    messages = done.errors.strip().splitlines()
    if remedy := re.search(r"git config --global --add safe\.directory .+", done.errors):
        raise UntrustedRepository(
            "git refuses to read a repository that another user owns", facts=tuple(messages[:1]), hint=remedy[0]
        )
    command = f"git {' '.join(arguments)}"
    raise GitFailed(f"git {arguments[0]} failed", facts=(f"{command} (in {directory})", *messages[:3]), hint=hint)
