"""The files from which a build backend reads the metadata of a source tree."""

from __future__ import annotations

import glob
import os
import re
import sys
from typing import TYPE_CHECKING, Any

from isolate.bounded_read import read_bounded

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

METADATA_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
"""Where a build backend reads names, versions and requirements, whatever the project says."""

MAX_FILES = 100
"""The most other files of one kind that count."""

HOOK_FILES = ("hatch_build.py", "requirements.txt")
"""What a hook of hatchling reads if its table names no file: that of hatchling itself, and hatch-requirements-txt."""

FILES_OF_BACKEND = {"pbr": ("requirements.txt",), "pdm": ("pdm_build.py",)}
"""What a backend reads without being told, by its top-level module."""

FILE_IN_CONFIG = re.compile(r"=\s*file:([^\n]*(?:\n[ \t]+[^\n]+)*)")
ATTRIBUTE_IN_CONFIG = re.compile(r"=\s*attr:\s*([\w.]+)")
STRING = re.compile(r"""["']([\w./-]{1,200})["']""")


def metadata_files(tree: str) -> tuple[str, ...]:
    """Return the files that hold the metadata of the source *tree*, existing or not, relative to it.

    Besides `METADATA_FILES`, they are those that its `pyproject.toml` names: the readme and the license, what dynamic
    fields are read from, and `[tool.isolate] metadata-files`; and what its build backend seems to read.
    """
    return (*METADATA_FILES, *named_by_project(tree), *named_by_backend(tree))


def named_by_project(tree: str) -> tuple[str, ...]:
    """Return the files that the `pyproject.toml` of the source *tree* names."""
    return _distinct(_named(_project_table(tree)))


def named_by_backend(tree: str) -> tuple[str, ...]:
    """Return the other files that the build backend of the source *tree* seems to read.

    They are the backend itself if it is in the tree, what it and the hooks of hatchling read unasked, what these hooks,
    dynamic extras of setuptools and `setup.cfg` name, what a text in `setup.py` names and, if there is one, the usual
    requirements files, whose names a `setup.py` may put together.
    """
    table = _project_table(tree)
    config, script = (_text(f"{tree}/{name}") for name in ("setup.cfg", "setup.py"))
    named = [*_of_backend(table)]
    named += [name for text in FILE_IN_CONFIG.findall(config) for name in re.split(r"[,\s]+", text)]
    named += [name for attribute in ATTRIBUTE_IN_CONFIG.findall(config) for name in _files({"attr": attribute})]
    if script:
        named += [name for name in STRING.findall(script) if os.path.isfile(f"{tree}/{name}")]
        named += ["requirements.txt", *_requirements_files(tree)]
    known = {*METADATA_FILES, *_distinct(_named(table))}
    return _distinct(name for name in named if name not in known)


def _project_table(tree: str) -> dict[str, Any]:
    """Return the content of the `pyproject.toml` of *tree*, as far as it can be read."""
    try:
        return tomllib.loads(read_bounded(f"{tree}/pyproject.toml").decode())
    except (OSError, ValueError, RecursionError):
        return {}


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple([*dict.fromkeys(filter(_is_inside, names))][:MAX_FILES])


def _of_backend(table: dict[str, Any]) -> Iterator[str]:
    """Yield a backend in the tree, and the files of hatchling's hooks, by the *table* of the `pyproject.toml`."""
    hatch = _table(_table(table, "tool"), "hatch")
    for hook in _table(_table(hatch, "metadata"), "hooks").values():
        keys = ("files", "filename", "path") if isinstance(hook, dict) else ()
        yield from [name for key in keys for name in _files(hook.get(key))] or HOOK_FILES
        for extra in _table(hook, "optional-dependencies").values() if isinstance(hook, dict) else ():
            yield from _files(extra)
    dynamic = _table(_table(_table(table, "tool"), "setuptools"), "dynamic")
    for extra in _table(dynamic, "optional-dependencies").values():
        yield from _files(extra)
    build = _table(table, "build-system")
    backend = build.get("build-backend")
    if isinstance(backend, str) and "\0" not in backend:
        module = backend.partition(":")[0].replace(".", "/")
        yield from (os.path.normpath(f"{path}/{module}.py") for path in _files(build.get("backend-path")))
        yield from FILES_OF_BACKEND.get(module.partition("/")[0], ())


def _text(path: str) -> str:
    try:
        return read_bounded(path).decode(errors="replace")
    except OSError:
        return ""


def _requirements_files(tree: str) -> list[str]:
    """Return what exists of `requirements*.txt` and `requirements/*`, in order."""
    patterns = ("requirements*.txt", "requirements*.in", "requirements/*.txt", "requirements/*.in")
    return sorted(name for pattern in patterns for name in glob.glob(pattern, root_dir=tree))


def _named(table: dict[str, Any]) -> Iterator[str]:
    project, tool = _table(table, "project"), _table(table, "tool")
    for field in (project.get("readme"), project.get("license")):
        yield from _files(field)
    for field in _table(_table(tool, "setuptools"), "dynamic").values():
        yield from _files(field if isinstance(field, dict) else None)
    yield from _files(_table(_table(tool, "hatch"), "version").get("path"))
    yield from _files(_table(tool, "isolate").get("metadata-files"))


def _table(table: dict[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def _files(field: Any) -> Iterator[str]:
    """Yield the paths in *field*: a path, a list of paths, or a table with a `file` or with an `attr` of a module."""
    if isinstance(field, dict):
        yield from _files(field.get("file"))
        if isinstance(attribute := field.get("attr"), str):
            module = attribute.rpartition(".")[0].replace(".", "/")
            yield from (f"{top}{module}{end}" for top in ("", "src/") for end in (".py", "/__init__.py") if module)
    elif isinstance(field, str):
        yield field
    elif isinstance(field, list):
        yield from (item for item in field if isinstance(item, str))


def _is_inside(name: str) -> bool:
    """Return whether the path *name* is relative and does not leave the tree."""
    return bool(name) and "\0" not in name and not os.path.isabs(name) and os.pardir not in name.split("/")
