"""Finds the applications of a repository: the directories with declarations of their own.

Hidden directories, virtual environments, vendored directories (`VENDORED_NAMES`), git-ignored directories and what
`exclude` in `[tool.isolate]` of the root names are skipped. If `applications` is set there, only what it names is
searched.
"""

from __future__ import annotations

import fnmatch
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from isolate.application import DECLARATION_FILES, Application, without_parents
from isolate.application_patterns import matching_directories
from isolate.bounded_read import read_bounded
from isolate.declarations.settings import Settings
from isolate.declarations.toml_file import unreadable
from isolate.errors import DeclarationError, IsolateError, NoApplications
from isolate.git import ignored_paths, repository_of
from isolate.git_changes import changed_files

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Sequence

VENDORED_NAMES = frozenset(
    {"node_modules", "site-packages", "third_party", "vendor", "vendored", "_vendor", "__pycache__"}
)
"""Names of directories that hold copies of other projects."""

DECLARES_APPLICATION = re.compile(
    rb"^\s*(\[\s*(project|dependency-groups|tool\.poetry|tool\.flit\.metadata)\b|(project|dependency-groups)\s*[.=])",
    re.MULTILINE,
)
"""Matches the `pyproject.toml` of an application. One without any of the tables only configures tools."""

CALLS_SETUP = re.compile(rb"\bsetup\s*\(")
"""Matches a `setup.py` that declares a project."""

TEST_NAMES = frozenset({"test", "tests", "testing", "testdata", "fixtures"})
"""Names of directories in which a `setup.py` alone is the input of a test, and not an application."""

QUICK_SEARCH_DEPTH = 2
"""How many levels a quick search descends, so that it never reads a whole home directory."""


def find_applications(root: Path) -> list[Application]:
    """Return the applications in *root* (an absolute directory) and below it, ordered by path.

    Raises:
        DeclarationError: The `pyproject.toml` of *root* cannot be read.
        NoApplications: There are none.
    """
    settings = _read_settings(root, _bytes(root / "pyproject.toml"))
    if settings.applications:
        matching = {path for pattern in settings.applications for path in _matching(pattern, root)}
        candidates = sorted(_deduplicated(sorted(matching), root))
    else:
        candidates = sorted(_walk(root))
    included = [path for path in candidates if is_application(path) and not _is_excluded(path, root, settings.exclude)]
    ignored = ignored_paths([path for path in included if path != root], root)
    applications = [Application(root=without_parents(path)) for path in included if path not in ignored]
    if not applications:
        files = "a requirements.txt, a Pipfile, a pylock.toml, a setup.py"
        tables = "[project], [dependency-groups] or [tool.poetry]"
        raise NoApplications(
            f"no application in {root} or below it",
            facts=(f"an application has {files}, or a pyproject.toml with {tables}",),
            hint="name a directory with applications",
        )
    return applications


def has_applications_below(root: Path) -> bool:
    """Return whether there are applications below *root*, which is not one itself, as far as a quick search finds."""
    try:
        settings = _read_settings(root, _bytes(root / "pyproject.toml"))
        named = (path for pattern in settings.applications for path in _matching(pattern, root))
        return any(map(is_application, named if settings.applications else _walk(root, QUICK_SEARCH_DEPTH)))
    except DeclarationError:
        return False


def is_application(directory: Path) -> bool:
    """Return whether *directory* has declarations of its own.

    A directory whose declarations cannot be read is an application too: the command then reports why.
    """
    named = [directory / name for name in ("requirements.txt", "Pipfile", "pylock.toml")]
    if any(path.exists() and not path.is_dir() for path in named):  # a named pipe or a device: the reader refuses it
        return True
    try:
        content = _bytes(directory / "pyproject.toml")
        return (
            DECLARES_APPLICATION.search(content) is not None
            or bool(_read_settings(directory, content).requirements)
            or CALLS_SETUP.search(_bytes(directory / "setup.py")) is not None
        )
    except DeclarationError:
        return True


def _bytes(file: Path) -> bytes:
    try:
        return read_bounded(file)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return b""
    except OSError as error:
        raise unreadable(file, error) from None


def _read_settings(directory: Path, content: bytes) -> Settings:
    """Return the settings in *content*, the `pyproject.toml` of *directory*, which is parsed only if it has some."""
    if b"tool.isolate" not in content:
        return Settings()
    from isolate.declarations.project_file import read_project_file

    return read_project_file(directory / "pyproject.toml").settings


def _matching(pattern: str, root: Path) -> list[Path]:
    """Return the directories of the repository that match *pattern*, relative to *root*; `.` is *root* itself."""
    if pattern and os.path.normpath(pattern) == ".":
        return [root]
    try:
        return [Path(path) for path in matching_directories(pattern, root, repository_of(root, os.environ))]
    except ValueError:
        raise DeclarationError(
            f"tool.isolate.applications: `{pattern}` is not a valid glob pattern for directories of the repository",
            hint="write a pattern such as `services/*`",
            file=root / "pyproject.toml",
        ) from None


def _walk(root: Path, max_depth: int | None = None) -> Iterator[Path]:
    """Yield the directories in and below *root*, at most *max_depth* levels, that may be applications."""
    for path, directories, files in os.walk(root):
        if "pyvenv.cfg" in files:
            directories.clear()
            continue
        directories[:] = [name for name in directories if not name.startswith(".") and name not in VENDORED_NAMES]
        if max_depth is not None and len(Path(path).relative_to(root).parts) >= max_depth:
            directories.clear()
        declaring = set(DECLARATION_FILES).intersection(files)
        below_tests = not TEST_NAMES.isdisjoint(Path(path).relative_to(root).parts)
        if declaring and not (below_tests and declaring <= {"setup.py", "setup.cfg"}):
            yield Path(path)


def _is_excluded(path: Path, root: Path, patterns: Sequence[str]) -> bool:
    relative = path.relative_to(root)
    candidates = [str(parent) for parent in (relative, *relative.parents)]
    normalized = [os.path.normpath(pattern) for pattern in patterns if pattern]
    return any(fnmatch.fnmatchcase(candidate, pattern) for candidate in candidates for pattern in normalized)


def _deduplicated(directories: Iterable[Path], root: Path) -> Iterator[Path]:
    """Yield each directory under one of its paths in *directories*, preferably one without links below *root*."""
    by_inode: dict[tuple[int, int], Path] = {}
    for directory in directories:
        status = directory.stat()
        inode = (status.st_dev, status.st_ino)
        if inode not in by_inode or _has_no_links(directory, root):
            by_inode[inode] = directory
    yield from by_inode.values()


def _has_no_links(directory: Path, root: Path) -> bool:
    return os.path.realpath(directory) == os.path.join(os.path.realpath(root), os.path.relpath(directory, root))


def changed_since(
    applications: Iterable[Application], revision: str, input_files: Callable[[Application], Iterable[Path]]
) -> list[Application]:
    """Return those *applications* of which a file has changed since a git *revision*, committed or not.

    A file belongs to the innermost application around it, and to each application that has it among its *input_files*.
    An application whose input files cannot be determined counts as changed if any file has changed.

    Raises:
        IsolateError: An application is not in a git repository, or git does not know the revision.
    """
    candidates = list(applications)
    tracked, untracked = changed_files([application.root for application in candidates], revision)
    roots = {os.path.realpath(application.root) for application in candidates}
    touched = {_innermost(name, roots) for name in tracked | untracked}

    def is_changed(application: Application) -> bool:
        root = os.path.realpath(application.root)
        if root in touched or not tracked.isdisjoint(_with_parents(root)):  # a parent is listed if it is a submodule
            return True
        try:
            files = {*input_files(application)}
        except IsolateError:
            return True
        return not (tracked | untracked).isdisjoint(path for file in files for path in _paths_of(file))

    return [application for application in candidates if tracked | untracked and is_changed(application)]


def _innermost(file: str, roots: Container[str]) -> str | None:
    return next((directory for directory in _with_parents(os.path.dirname(file)) if directory in roots), None)


def _with_parents(directory: str) -> Iterator[str]:
    yield directory
    while directory != os.path.dirname(directory):
        directory = os.path.dirname(directory)
        yield directory


def _paths_of(file: Path) -> tuple[str, str]:
    """Return the real path of *file* and, if it is a symbolic link, that of its target."""
    return os.path.join(os.path.realpath(file.parent), file.name), os.path.realpath(file)
