"""What git knows about directories: which of them it ignores, and which of their files have changed.

Each is asked about in the repository that it lies in; one repository may lie in another, as a submodule does.
"""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from isolate.errors import IsolateError, ProgramNotStarted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ELSEWHERE = frozenset(
    {"GIT_COMMON_DIR", "GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_WORK_TREE"}
)
"""Variables with which a hook of one repository would lead git astray in another."""


class NoAnswer(IsolateError):
    """git cannot tell what it was asked."""


def ignored(folders: Iterable[Path], root: Path) -> set[Path]:
    """Return those of *folders*, found from *root*, that git ignores: none where it cannot tell, or is not there.

    What lies in a repository of its own is ignored with the whole of it, too.
    """
    top = os.path.realpath(root)
    below = os.path.join(top, "")
    asked: dict[str, dict[str, list[Path]]] = {}
    real: Callable[[str], str] = functools.cache(os.path.realpath)
    around = functools.cache(_repository_around)
    for folder in folders:
        above, last = os.path.split(folder)
        name = os.path.join(real(above), last)  # a link itself may be ignored, whatever it points to
        while name != top and (repository := around(os.path.dirname(name))) is not None:
            asked.setdefault(repository, {}).setdefault(name, []).append(folder)
            if not repository.startswith(below):
                break
            name = repository
    return {
        folder
        for repository, names in asked.items()
        for name in _ignored_in(repository, list(names))
        for folder in names[name]
    }


def _ignored_in(repository: str, names: Sequence[str]) -> list[str]:
    try:
        said = _git(repository, ["check-ignore", "-z", "--stdin"], "".join(f"{name}\0" for name in names))
    except (NoAnswer, ProgramNotStarted):
        return []
    answer = set(said.split("\0")) if said else set()
    # A name that is no UTF-8 is replaced as in what programs say.
    return [name for name in names if answer and os.fsencode(name).decode(errors="replace") in answer]


def _repository_around(folder: str) -> str | None:
    """Return the top of the repository that *folder* (a real path) lies in, by the `.git` there."""
    while not os.path.lexists(os.path.join(folder, ".git")):
        if folder == os.path.dirname(folder):
            return None
        folder = os.path.dirname(folder)
    return folder


def changed_files(folders: Iterable[Path], revision: str) -> tuple[set[str], set[str]]:
    """Return the real paths of what has changed since *revision* in the repositories that *folders* lie in.

    First what git keeps track of, a submodule as a whole, by the directory that it is in; then what it does not, yet.
    Raises `IsolateError` if one of *folders* is in no repository, or a repository does not know *revision*.
    """
    tracked: set[str] = set()
    others: set[str] = set()
    for top in sorted({_outermost(inner) for inner in {_repository_of(folder) for folder in folders}}):
        commit = _git(
            top,
            ["rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}"],
            hint="name a revision that git knows",
        ).strip()
        compare = ["diff", "--no-renames", "--ignore-submodules=none", "--name-only", "-z", commit, "--"]
        tracked |= _paths(top, _git(top, compare))
        others |= _paths(top, _git(top, ["ls-files", "--others", "--exclude-standard", "-z"]))
    return tracked, others


def _repository_of(folder: Path) -> str:
    found = _repository_around(os.path.realpath(folder))
    if found is None:
        raise IsolateError(
            f"{folder} is in no git repository, so nothing tells what has changed there",
            hint="name a directory that is in one, or leave out --changed-since",
        )
    return found


def _outermost(repository: str) -> str:
    """Return the top of *repository*, or of the one that it is a submodule of: that is where revisions are meant."""
    while above := _git(repository, ["rev-parse", "--show-superproject-working-tree"]).rstrip("\n"):
        repository = above
    return os.path.realpath(_git(repository, ["rev-parse", "--show-toplevel"]).rstrip("\n"))


def _paths(top: str, names: str) -> set[str]:
    return {os.path.join(top, name).rstrip("/") for name in names.split("\0") if name}


def _git(
    folder: str, arguments: Sequence[str], stdin_text: str = "", hint: str = "mend that, then run the command again"
) -> str:
    """Return what git answers in *folder*; a status of 1, with which it says no, is an answer.

    Raises `NoAnswer`, with *hint*, where it has none, and `IsolateError` with the remedy of git where it has one.
    """
    from isolate import process

    environ = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    done = process.run(("git", *arguments), env=environ, cwd=Path(folder), stdin=stdin_text)
    if done.status in (0, 1):
        return done.output
    said = done.errors.strip().splitlines()
    if remedy := re.search(r"git config --global --add safe\.directory .+", done.errors):
        raise IsolateError(
            "git refuses to look at a repository that belongs to somebody else", facts=tuple(said[:1]), hint=remedy[0]
        )
    raise NoAnswer("git cannot tell", facts=(f"{' '.join(arguments)}, in {folder}", *said[:3]), hint=hint)
