"""What the tables of other tools in a `pyproject.toml` declare, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from isolate.declarations.declared import PoetryDependency, Project
    from isolate.declarations.package_source import PackageSource
    from isolate.errors import DeclarationError

ALL_GROUPS = "all"
"""What a tool writes instead of the names of groups if all of them are meant."""


class ToolTables(NamedTuple):
    """What a tool declares besides the standard tables.

    `groups` are more requirements by the name of their group, as written; `default_groups` are those that a sync
    installs unasked, None if the tool does not say. `constraints` are requirements as written, `index_options` lines of
    a requirements file. `sources` say by normalized name where a package comes from; `indexes` are URLs by the name of
    the index. `refused` is what isolate cannot honour when it resolves. `is_package` overrides whether the project is
    installed. `no_build_isolation` has the normalized names of packages that are built where the others are installed.
    `contents` has the bytes of other files that were read.
    """

    groups: Mapping[str, list[str]] = {}
    default_groups: tuple[str, ...] | None = None
    constraints: tuple[str, ...] = ()
    index_options: tuple[str, ...] = ()
    sources: Mapping[str, tuple[PackageSource, ...]] = {}
    package_indexes: Mapping[str, str] = {}
    refused: tuple[DeclarationError, ...] = ()
    is_package: bool | None = None
    no_build_isolation: tuple[str, ...] = ()
    contents: Mapping[Path, bytes] = {}

    def merged(self, other: ToolTables) -> ToolTables:
        """Return what both declare; of a value that only one of two can give, that of *other*."""
        groups = {
            name: [*self.groups.get(name, ()), *other.groups.get(name, ())] for name in {**self.groups, **other.groups}
        }
        return ToolTables(
            groups=groups,
            default_groups=self.default_groups if other.default_groups is None else other.default_groups,
            constraints=(*self.constraints, *other.constraints),
            index_options=(*self.index_options, *other.index_options),
            sources={**self.sources, **other.sources},
            package_indexes={**self.package_indexes, **other.package_indexes},
            refused=(*self.refused, *other.refused),
            is_package=self.is_package if other.is_package is None else other.is_package,
            no_build_isolation=(*self.no_build_isolation, *other.no_build_isolation),
            contents={**self.contents, **other.contents},
        )


class PoetryTables(NamedTuple):
    """What `[tool.poetry]` declares.

    `groups` are those that it names, and `default_groups` those of them that are not optional, as written.
    `dependencies` are not converted yet; `python` limits the versions of Python. `has_main`: they include those of the
    project itself, which are not in `[project]`.
    """

    name: str | None = None
    has_main: bool = False
    is_package: bool = False
    python: str | None = None
    dependencies: tuple[PoetryDependency, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    default_groups: tuple[str, ...] = ()
    tables: ToolTables = ToolTables()

    def applied_to(self, project: Project) -> Project:
        """Return *project*, from a file with a `[project]` or without one, as Poetry understands it."""
        if not self.has_main:
            return project
        dynamic = project.dynamic - {"name", "dependencies", "optional-dependencies"}
        return project._replace(name=project.name or self.name, is_package=self.is_package, dynamic=dynamic)
