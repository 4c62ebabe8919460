"""Declarations as values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from packaging.utils import canonicalize_name

from isolate.declarations.settings import Settings
from isolate.named import Named

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    from isolate.declarations.package_source import PackageSource
    from isolate.errors import DeclarationError


BACKEND_FILES = ("setup.py", "setup.cfg")
"""Files that declare a project, and that only its build backend understands."""

VARIABLE_BYTES = re.compile(rb"\$\{([A-Z0-9_]+)\}")


class Origin(NamedTuple):
    """The file and line of a declaration. `line` counts from 1; None if it is not known."""

    file: Path
    line: int | None = None

    def __str__(self) -> str:
        """Return `requirements.txt:3`."""
        return self.file.name if self.line is None else f"{self.file.name}:{self.line}"


class DeclaredRequirement(NamedTuple):
    """One requirement that an application declares.

    `text` is an equivalent line of a requirements file, without hashes. `requirement` is None if that line names no
    distribution (a path, a URL). `path` is absolute. `extra` and `group` are the normalized names of the extra and the
    group of `pyproject.toml` that the requirement belongs to.
    """

    text: str
    origin: Origin
    requirement: Requirement | None = None
    hashes: frozenset[str] = frozenset()
    editable: bool = False
    path: Path | None = None
    url: str | None = None
    extra: str | None = None
    group: str | None = None

    @property
    def name(self) -> str | None:
        """Return the normalized name of the distribution; None if the requirement has no name."""
        return None if self.requirement is None else canonicalize_name(self.requirement.name)

    @property
    def pin(self) -> str | None:
        """Return the version if exactly one is allowed (`==1.0` or `===1.0`, no wildcard), else None."""
        specifiers = [] if self.requirement is None else list(self.requirement.specifier)
        if len(specifiers) != 1 or specifiers[0].operator not in ("==", "===") or "*" in specifiers[0].version:
            return None
        return specifiers[0].version


class Project(NamedTuple):
    """The application as a project.

    `file` declares it. `name` is normalized; `is_package`: it can be built; `dynamic`: the fields of `[project]` that a
    build determines, all of them where there is no such table.
    """

    file: Path
    name: str | None = None
    is_package: bool = False
    dynamic: frozenset[str] = frozenset()


ALL_DYNAMIC = frozenset({"name", "dependencies", "optional-dependencies"})
"""The fields that only a build determines where there is no `[project]`."""


def has_dynamic_dependencies(project: Project) -> bool:
    """Return whether only a build determines the dependencies of *project*, or of one of its extras."""
    return project.is_package and not {"dependencies", "optional-dependencies"}.isdisjoint(project.dynamic)


class PoetryDependency(NamedTuple):
    """One dependency in Poetry's format, which only its library understands.

    `constraint` has what the library turns into a requirement for `name`; `source` says where it comes from, if that is
    not an index. `extra` and `group` are normalized.
    """

    name: str
    constraint: Mapping[str, Any]
    origin: Origin
    source: PackageSource | None = None
    extra: str | None = None
    group: str | None = None


class PoetryTable(NamedTuple):
    """The dependencies in Poetry's format, and its constraint for Python."""

    dependencies: tuple[PoetryDependency, ...]
    python: str | None = None


class ProjectMetadata(NamedTuple):
    """What a build backend says about the project.

    `name` and `extras` are normalized; `requires_dist` are its dependencies as `Requires-Dist` lines.
    """

    name: str
    requires_dist: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()


class Declarations(NamedTuple):
    """Everything that an application declares.

    `contents` maps each file that was read, by absolute path and in order, to its bytes. `requirements` are those of
    the base, of every extra and of every group. `requirements_files` are the files to pass to pip; empty if the
    requirements are those of `pyproject.toml`. `index_options` are lines of a requirements file in which variables stay
    as written; `expanded_index_options` has the same lines with their values, and is never written to a file.
    `named` is what was named on the command line for one environment alone. `script` is the file whose block of
    metadata this is.
    `metadata` is what the build backend has said, and is part of `requirements` then. `default_groups` are installed
    unless the user excludes them. `package_indexes` has the URL of the one index from which a package may come, by its
    name. `refused` is what isolate cannot honour when it resolves, so that only an existing lock can be used. `poetry`
    is what has not been converted into `requirements` yet.
    """

    root: Path
    contents: Mapping[Path, bytes] = {}
    requirements: tuple[DeclaredRequirement, ...] = ()
    constraints: tuple[DeclaredRequirement, ...] = ()
    requires_python: SpecifierSet | None = None
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    project: Project | None = None
    requirements_files: tuple[Path, ...] = ()
    index_options: tuple[str, ...] = ()
    expanded_index_options: tuple[str, ...] = ()
    settings: Settings = Settings()
    named: Named = Named()
    script: Path | None = None
    metadata: ProjectMetadata | None = None
    default_groups: tuple[str, ...] = ()
    package_indexes: Mapping[str, str] = {}
    refused: tuple[DeclarationError, ...] = ()
    poetry: PoetryTable | None = None

    @property
    def has_own_lock(self) -> bool:
        """Return whether the lock is kept with the environment and in the store, and never in the tree."""
        return self.named.has_files or self.script is not None

    @property
    def files(self) -> tuple[Path, ...]:
        """Return the absolute paths of all files that were read, in order."""
        return tuple(self.contents)

    @property
    def variable_names(self) -> frozenset[str]:
        """Return the names of the environment variables that pip may expand (`${NAME}`), set or not."""
        return frozenset(
            name.decode() for content in self.expandable.values() for name in VARIABLE_BYTES.findall(content)
        )

    @property
    def expandable(self) -> dict[Path, bytes]:
        """Return those of `contents` in which `${NAME}` can be a variable: not those that a build backend reads."""
        return {file: content for file, content in self.contents.items() if file.name not in BACKEND_FILES}

    @property
    def has_dynamic_dependencies(self) -> bool:
        """Return whether only a build determines the dependencies of the application, or of one of its extras."""
        return self.project is not None and not self.requirements_files and has_dynamic_dependencies(self.project)

    @property
    def needs_metadata(self) -> bool:
        """Return whether `requirements` and `extras` lack what only other programs can tell."""
        return self.needs_build or self.poetry is not None

    @property
    def needs_build(self) -> bool:
        """Return whether the build backend has not been asked yet what only it can tell."""
        return self.has_dynamic_dependencies and self.metadata is None

    def selected(self, extras: Collection[str], groups: Collection[str]) -> tuple[DeclaredRequirement, ...]:
        """Return the requirements of the base, of *extras* and of *groups*."""
        return tuple(
            declared
            for declared in self.requirements
            if (declared.extra is None or declared.extra in extras)
            and (declared.group is None or declared.group in groups)
        )
