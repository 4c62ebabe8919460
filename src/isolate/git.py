"""Running git: which directories it ignores, and which repository they are in.

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


SAFE_OPTIONS = ("-c", "core.fsmonitor=false", "-c", "core.untrackedCache=false", "-c", "core.hooksPath=/dev/null")
"""Options that keep git from running programs that the configuration of a repository names."""

NO_PROGRAMS = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_SSH_COMMAND": "false",
    "GIT_TERMINAL_PROMPT": "0",
}
"""Variables that keep it from fetching what a partial clone lacks, by a program of that configuration, and from writing
to the repository."""

MAX_SILENCE = 30.0
"""Seconds without output after which git is ended: its configuration may include a pipe without a writer."""


class GitFailed(IsolateError):
    """A git command failed."""

    code = "git-failed"
    remedy = "Run the git command that the message names to see why it fails."


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
    around = functools.cache(repository_around)
    for directory in directories:
        parent, name = os.path.split(directory)
        path = os.path.join(realpath(parent), name)  # a symbolic link can be ignored itself, unlike its target
        while path != top and (repository := around(os.path.dirname(path))) is not None:
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
        output = run_git(repository, ["check-ignore", "-z", "--stdin"], "".join(f"{path}\0" for path in paths))
    except (GitFailed, ProgramNotStarted):
        return []
    ignored = set(output.split("\0")) if output else set()
    # The output of programs is decoded with replacement characters, so the path is too.
    return [path for path in paths if ignored and os.fsencode(path).decode(errors="replace") in ignored]


def repository_around(directory: str) -> str | None:
    """Return the root of the repository around *directory* (a real path), by its `.git`; None if there is none."""
    while not os.path.lexists(os.path.join(directory, ".git")):
        if directory == os.path.dirname(directory):
            return None
        directory = os.path.dirname(directory)
    return directory


def repository_of(directory: Path, environ: Mapping[str, str]) -> Path:
    """Return the root of the repository around *directory*; *directory* itself if there is none.

    A repository of the whole home directory does not count: programs that are installed there are the user's.
    """
    top = repository_around(os.path.realpath(directory))
    home = os.path.realpath(environ.get("HOME") or "/")
    return directory if top is None or os.path.join(home, "").startswith(os.path.join(top, "")) else Path(top)


def run_git(
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
    from isolate.child_output import Listener

    environ = {**without_repository_variables(os.environ), **NO_PROGRAMS}
    listener = Listener(on_idle=_give_up)
    done = process.run(
        ("git", *SAFE_OPTIONS, *arguments), env=environ, cwd=Path(directory), stdin=stdin, listener=listener
    )
    if done.status in (0, 1):
        return done.output
    messages = done.errors.strip().splitlines()
    if remedy := re.search(r"git config --global --add safe\.directory .+", done.errors):
        raise UntrustedRepository(
            "git refuses to read a repository that another user owns", facts=tuple(messages[:1]), hint=remedy[0]
        )
    command = f"git {' '.join(arguments)}"
    raise GitFailed(f"git {arguments[0]} failed", facts=(f"{command} (in {directory})", *messages[:3]), hint=hint)


def _give_up(seconds: float) -> None:
    if seconds >= MAX_SILENCE:
        raise GitFailed(f"git gave no answer for {seconds:.0f} s", hint="look at the configuration of the repository")
