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

from isolate.application import DECLARATION_FILES, Application, without_parents
from isolate.declarations.settings import Settings
from isolate.errors import DeclarationError, IsolateError
from isolate.git import changed_files, ignored

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Sequence

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
        matching = {path for pattern in settings.applications for path in _matching(pattern, root)}
        found = sorted(_each_once(sorted(matching), root))
    else:
        found = sorted(_walk(root))
    own = [path for path in found if is_application(path) and not _is_excluded(path, root, settings.exclude)]
    dropped = ignored([path for path in own if path != root], root)
    kept = [path for path in own if path not in dropped]
    if not kept:
        raise IsolateError(
            f"no application in {root} or below it",
            facts=("an application has a requirements.txt, a pylock.toml, or a pyproject.toml with [project]",),
            hint="name another directory",
        )
    return [Application(root=without_parents(path)) for path in kept]


def are_below(root: Path) -> bool:
    """Say whether there are applications below *root*, which is none: as far as a short look tells."""
    try:
        settings = _settings_of(root, _text_of(root))
        named = (path for pattern in settings.applications for path in _matching(pattern, root))
        return any(map(is_application, named if settings.applications else _walk(root, SHORT_LOOK)))
    except DeclarationError:
        return False


SHORT_LOOK = 2
"""How many directories a short look goes down; somebody's home is not to be read as a whole."""


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
    from isolate.declarations.project_file import read_project_file

    return read_project_file(folder / "pyproject.toml").settings


def _matching(pattern: str, root: Path) -> list[Path]:
    """Return the directories below *root* that *pattern* means; `.` is *root* itself."""
    if pattern and os.path.normpath(pattern) == ".":
        return [root]
    try:
        return [path for path in root.glob(pattern) if path.is_dir()]
    except (NotImplementedError, ValueError):
        raise DeclarationError(
            f"tool.isolate.applications: `{pattern}` is no pattern for directories below this one",
            hint="`services/*` for example",
            file=root / "pyproject.toml",
        ) from None


def _walk(folder: Path, deep: int | None = None) -> Iterator[Path]:
    """Yield the directories that may be applications, *folder* and those below it, down to *deep* if that is given."""
    for where, folders, files in os.walk(folder):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".") and name not in VENDORED]
        if deep is not None and len(Path(where).relative_to(folder).parts) >= deep:
            folders.clear()
        if not set(DECLARATION_FILES).isdisjoint(files):
            yield Path(where)


def _is_excluded(path: Path, root: Path, patterns: Sequence[str]) -> bool:
    relative = path.relative_to(root)
    above = [str(one) for one in (relative, *relative.parents)]
    plain = [os.path.normpath(pattern) for pattern in patterns if pattern]
    return any(fnmatch.fnmatchcase(one, pattern) for one in above for pattern in plain)


def _each_once(folders: Iterable[Path], root: Path) -> Iterator[Path]:
    """Yield each directory by one of its names among *folders*: by that without links below *root*, if it is there."""
    by_place: dict[tuple[int, int], Path] = {}
    for folder in folders:
        status = folder.stat()
        place = (status.st_dev, status.st_ino)
        if place not in by_place or _is_without_links(folder, root):
            by_place[place] = folder
    yield from by_place.values()


def _is_without_links(folder: Path, root: Path) -> bool:
    return os.path.realpath(folder) == os.path.join(os.path.realpath(root), os.path.relpath(folder, root))


def changed_since(
    applications: Iterable[Application], revision: str, installed_files: Callable[[Application], Iterable[Path]]
) -> list[Application]:
    """Return those *applications* of which a file has changed since a git *revision*, committed or not.

    A file belongs to the innermost application around it, and to each that names it among *files_of* itself; an
    application of which these cannot be told is among the changed, if anything is. Raises `IsolateError` where there is
    no repository, or git does not know the revision.
    """
    every = list(applications)
    tracked, others = changed_files([one.root for one in every], revision)
    folders = {os.path.realpath(one.root) for one in every}
    touched = {_innermost(name, folders) for name in tracked | others}

    def is_changed(one: Application) -> bool:
        root = os.path.realpath(one.root)
        if root in touched or not tracked.isdisjoint(_upwards(root)):  # above it only a submodule is told of
            return True
        try:
            files = {*installed_files(one)}
        except IsolateError:
            return True
        return not (tracked | others).isdisjoint(path for file in files for path in _places(file))

    return [one for one in every if tracked | others and is_changed(one)]


def _innermost(file: str, folders: Container[str]) -> str | None:
    return next((folder for folder in _upwards(os.path.dirname(file)) if folder in folders), None)


def _upwards(folder: str) -> Iterator[str]:
    yield folder
    while folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
        yield folder


def _places(file: Path) -> tuple[str, str]:
    """Return where *file* is, and where what it links to is."""
    return os.path.join(os.path.realpath(file.parent), file.name), os.path.realpath(file)
