"""Declarations as values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_name

from isolate.declarations.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet


VARIABLE = re.compile(rb"\$\{([A-Z0-9_]+)\}")


class Origin(NamedTuple):
    """Where a declaration stands. `line` counts from 1; None where it is not known."""

    file: Path
    line: int | None = None

    def __str__(self) -> str:
        """Return `requirements.txt:3`."""
        return self.file.name if self.line is None else f"{self.file.name}:{self.line}"


class DeclaredRequirement(NamedTuple):
    """One thing that is asked for.

    `text` is a line of a requirements file that says it, without hashes. `requirement` is None where that names no
    distribution (a path, an address). `path` is absolute; `extra` and `group` say which part of `pyproject.toml` it is
    from, by normalized name.
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
        """Return the normalized name of the distribution, if it has one."""
        return None if self.requirement is None else canonicalize_name(self.requirement.name)

    @property
    def pin(self) -> str | None:
        """Return the version, where exactly one is allowed (`==1.0` or `===1.0`, no wildcard)."""
        specifiers = [] if self.requirement is None else list(self.requirement.specifier)
        if len(specifiers) != 1 or specifiers[0].operator not in ("==", "===") or "*" in specifiers[0].version:
            return None
        return specifiers[0].version


class Project(NamedTuple):
    """The application as a project. `is_package`: it can be built; `dynamic`: what only building it tells."""

    file: Path
    name: str | None = None
    is_package: bool = False
    dynamic: frozenset[str] = frozenset()


class Declarations(NamedTuple):
    """All that an application asks for.

    `contents` has all files that were read, absolute, in order, each with the bytes that it held. `requirements` are
    those of the base, of every extra and of every group. `requirements_files` are what pip is to be given; empty where
    `pyproject.toml` leads.
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
    settings: Settings = Settings()

    @property
    def files(self) -> tuple[Path, ...]:
        """Return all files that were read, absolute, in order."""
        return tuple(self.contents)

    @property
    def variables(self) -> frozenset[str]:
        """Return the names of the variables that pip may fill in (`${NAME}`), whether set or not."""
        return frozenset(name.decode() for content in self.contents.values() for name in VARIABLE.findall(content))

    @property
    def ask_for_project(self) -> bool:
        """Say whether only building the application tells what it, or an extra of it, depends on (`dynamic`)."""
        dependency_keys = {"dependencies", "optional-dependencies"}
        return (
            self.project is not None
            and self.project.is_package
            and not dependency_keys.isdisjoint(self.project.dynamic)
        )

    def selected(self, extras: Collection[str], groups: Collection[str]) -> tuple[DeclaredRequirement, ...]:
        """Return the requirements of the base, of *extras* and of *groups*."""
        return tuple(
            one
            for one in self.requirements
            if (one.extra is None or one.extra in extras) and (one.group is None or one.group in groups)
        )
