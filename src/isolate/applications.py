"""Finding the applications of a repository: every directory with declarations, but for those that are not its own.

Left out are hidden directories, environments, what others wrote (`VENDORED`), what git ignores, and what `exclude` in
`[tool.isolate]` of the root names. `applications` there says instead where to look.
"""

from __future__ import annotations

import fnmatch
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from isolate.application import DECLARATIONS, Application
from isolate.declarations.settings import Settings
from isolate.errors import DeclarationError, IsolateError, NotStarted

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

VENDORED = frozenset({"node_modules", "site-packages", "third_party", "vendor", "vendored", "_vendor", "__pycache__"})
"""Names of directories that hold what others wrote."""

DECLARES = re.compile(rb"^\s*(\[\s*(project|dependency-groups)\b|(project|dependency-groups)\s*[.=])", re.MULTILINE)
"""What the `pyproject.toml` of an application has; one without either only configures tools."""


def find_applications(root: Path) -> list[Application]:
    """Return the applications in *root* (an absolute directory) and below it, ordered by path.

    Raises `DeclarationError` if the `pyproject.toml` of *root* cannot be read, `IsolateError` if there is none at all.
    """
    settings = _settings_of(root, _text_of(root))
    if settings.applications:
        found = sorted({path for pattern in settings.applications for path in _matching(pattern, root)})
    else:
        found = sorted(_walk(root))
    own = [path for path in found if is_application(path) and not _is_excluded(path, root, settings.exclude)]
    kept = _without_ignored(own, root)
    if not kept:
        raise IsolateError(
            f"no application in {root} or below it",
            facts=("an application has a requirements.txt, a pylock.toml, or a pyproject.toml with [project]",),
            hint="name another directory",
        )
    return [Application(root=path) for path in kept]


def is_application(folder: Path) -> bool:
    """Say whether *folder* has declarations of its own, or some that cannot be read: then it says so in its turn."""
    if (folder / "requirements.txt").is_file() or (folder / "pylock.toml").is_file():
        return True
    try:
        text = _text_of(folder)
        return DECLARES.search(text) is not None or bool(_settings_of(folder, text).requirements)
    except DeclarationError:
        return True


def _text_of(folder: Path) -> bytes:
    file = folder / "pyproject.toml"
    try:
        return file.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return b""
    except OSError as error:
        raise DeclarationError(f"cannot be read: {error.strerror}", hint="make it readable", file=file) from None


def _settings_of(folder: Path, text: bytes) -> Settings:
    """Return what `[tool.isolate]` says in *text*, the `pyproject.toml` of *folder*."""
    if b"tool.isolate" not in text:
        return Settings()
    from isolate.declarations.project_file import read_project_file  # noqa: PLC0415 - most need no parser

    return read_project_file(folder / "pyproject.toml").settings


def _matching(pattern: str, root: Path) -> list[Path]:
    """Return the directories below *root* that *pattern* means; `.` is *root* itself."""
    if pattern == ".":
        return [root]
    try:
        return [path for path in root.glob(pattern) if path.is_dir()]
    except (NotImplementedError, ValueError):
        raise DeclarationError(
            f"tool.isolate.applications: `{pattern}` is no pattern for directories below this one",
            hint="`services/*` for example",
            file=root / "pyproject.toml",
        ) from None


def _walk(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".") and name not in VENDORED]
        if not set(DECLARATIONS).isdisjoint(files):
            yield Path(where)


def _is_excluded(path: Path, root: Path, patterns: Sequence[str]) -> bool:
    relative = path.relative_to(root)
    above = [str(one) for one in (relative, *relative.parents)]
    return any(fnmatch.fnmatchcase(one, pattern.rstrip("/")) for one in above for pattern in patterns)


def _without_ignored(paths: Sequence[Path], root: Path) -> list[Path]:
    """Return *paths* without those that git ignores; all of them where there is no git."""
    below = [path for path in paths if path != root]
    if not below or not _is_in_repository(root):
        return list(paths)
    try:
        ignored = _git(root, ["check-ignore", "-z", "--stdin"], "".join(f"{path}\0" for path in below))
    except NotStarted:
        return list(paths)
    dropped = set(ignored.split("\0"))
    return [path for path in paths if str(path) not in dropped]


def _is_in_repository(root: Path) -> bool:
    return any((folder / ".git").exists() for folder in (root, *root.parents))


def changed_since(applications: Iterable[Application], root: Path, revision: str) -> list[Application]:
    """Return those *applications* below *root* of which a file has changed since a git *revision*, committed or not.

    A file belongs to the innermost application around it. Raises `IsolateError` if git does not know the revision.
    """
    top = Path(_git(root, ["rev-parse", "--show-toplevel"]).rstrip("\n"))
    names = _git(
        top, ["diff", "--no-renames", "--name-only", "-z", revision, "--"], hint="name a revision that git knows"
    )
    names += _git(top, ["ls-files", "--others", "--exclude-standard", "-z"])
    by_path = {os.path.realpath(one.root): one for one in applications}
    touched = {_innermost(str(top / name), by_path) for name in names.split("\0") if name}
    return [one for path, one in by_path.items() if path in touched]


def _innermost(file: str, folders: Container[str]) -> str | None:
    folder = os.path.dirname(file)
    while folder not in folders and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return folder if folder in folders else None


def _git(
    folder: Path, arguments: Sequence[str], told: str = "", hint: str = "mend that, then run the command again"
) -> str:
    """Return what git answers in *folder*; a status of 1, with which it says no, is an answer.

    Raises `IsolateError`, with *hint* unless git has a remedy of its own, where it has no answer.
    """
    from isolate import process  # noqa: PLC0415 - takes longer than to find the applications, where there is no git

    done = process.run(("git", *arguments), env=os.environ, cwd=folder, told=told)
    if done.status in (0, 1):
        return done.output
    said = done.errors.strip().splitlines()
    if remedy := re.search(r"git config --global --add safe\.directory .+", done.errors):
        raise IsolateError(
            "git refuses to look at a repository that belongs to somebody else", facts=tuple(said[:1]), hint=remedy[0]
        )
    raise IsolateError("git cannot tell", facts=(" ".join(arguments), *said[:3]), hint=hint)
