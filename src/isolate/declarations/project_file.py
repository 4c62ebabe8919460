"""`pyproject.toml`: `[project]` (PEP 621), groups (PEP 735), `[build-system]` (PEP 518), `[tool.isolate]`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from packaging.utils import canonicalize_name

from isolate.declarations.build_system import is_built, is_named_by_backend
from isolate.declarations.declared import (
    ALL_DYNAMIC,
    DeclaredRequirement,
    PoetryTable,
    Project,
    has_dynamic_dependencies,
)
from isolate.declarations.limits import parsed_specifier, shortened
from isolate.declarations.local_trees import Tree
from isolate.declarations.misspelt import PROJECT_KEYS, TOP_LEVEL_KEYS, reject_misspelt
from isolate.declarations.project_requirements import RequirementReader
from isolate.declarations.settings import LINK_MODES, Settings
from isolate.declarations.sources import checked_url, from_sources
from isolate.declarations.toml_file import TomlFile
from isolate.declarations.tool_tables import ALL_GROUPS, PoetryTables, ToolTables
from isolate.declarations.uv_tables import read_uv_tables
from isolate.locked import DEFAULT_GROUP

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from packaging.specifiers import SpecifierSet

LIST_SETTINGS = (
    *("applications", "constraints", "exclude", "lenient-indexes", "metadata-files"),
    *("no-build-isolation", "requirements"),
)
SETTING_NAMES = (*LIST_SETTINGS, "indexes", "link-mode", "python")


class ProjectFile(NamedTuple):
    """The bytes of a `pyproject.toml` or a `Pipfile`, and what it declares.

    `is_application`: it does more than configure tools. `has_table`: it describes the project, so a `setup.py` does
    not. `declares`: it declares dependencies, extras or groups.
    """

    content: bytes
    project: Project
    is_application: bool = False
    has_table: bool = False
    declares: bool = False
    requirements: tuple[DeclaredRequirement, ...] = ()
    requires_python: SpecifierSet | None = None
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    settings: Settings = Settings()
    constraints: tuple[DeclaredRequirement, ...] = ()
    default_groups: tuple[str, ...] = ()
    tables: ToolTables = ToolTables()
    poetry: PoetryTable | None = None


def read_project_file(path: Path) -> ProjectFile:
    """Return what the `pyproject.toml` at *path* declares; raise `DeclarationError` with the line of an error."""
    file = TomlFile(path)
    _reject_misspelt(file)
    poetry = _poetry_tables(file)
    tables = read_uv_tables(file).merged(_pdm_tables(file)).merged(poetry.tables)
    project = poetry.applied_to(_with_override(_project(file), tables))
    reader = RequirementReader(file, project, tables.groups)
    base = reader.base()
    try:
        requirements = [*from_sources((*base, *reader.of_extras(), *reader.of_groups()), tables.sources)]
    except ValueError as error:
        raise file.error(f"a source is not valid: {error}", None) from None
    return ProjectFile(
        content=file.content,
        project=project,
        is_application=poetry.has_main
        or project.is_package
        or not {"project", "dependency-groups"}.isdisjoint(file.table),
        has_table="project" in file.table or poetry.has_main,
        declares=bool(base or reader.extras or reader.groups or poetry.dependencies)
        or has_dynamic_dependencies(project),
        requirements=tuple(requirements),
        constraints=tuple(reader.constraints(tables.constraints)),
        default_groups=_distinct(_default_groups(reader, tables), poetry.default_groups),
        poetry=PoetryTable(poetry.dependencies, poetry.python) if poetry.dependencies or poetry.python else None,
        tables=tables,
        requires_python=_requires_python(file),
        extras=_distinct(reader.extras, poetry.extras),
        groups=_distinct(reader.groups, poetry.groups),
        settings=with_tables(read_settings(file), tables),
    )


def _poetry_tables(file: TomlFile) -> PoetryTables:
    if "poetry" not in file.mapping(file.table, "tool"):
        return PoetryTables()
    from isolate.declarations.poetry_tables import read_poetry_tables

    return read_poetry_tables(file)


def _pdm_tables(file: TomlFile) -> ToolTables:
    if "pdm" not in file.mapping(file.table, "tool"):
        return ToolTables()
    from isolate.declarations.pdm_tables import read_pdm_tables

    return read_pdm_tables(file)


def read_tree(path: Path) -> Tree:
    """Return what the `pyproject.toml` at *path*, that of a source tree, declares."""
    file = read_project_file(path)
    return Tree(file.content, file.requirements)


def _distinct(*names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for some in names for name in some))


def with_tables(settings: Settings, tables: ToolTables) -> Settings:
    """Return *settings* with what the *tables* of other tools add to them."""
    return settings._replace(no_build_isolation=(*settings.no_build_isolation, *tables.no_build_isolation))


def _reject_misspelt(file: TomlFile) -> None:
    """Raise `DeclarationError` for a key that seems to declare dependencies, and does not."""
    reject_misspelt(file, file.table, "", declaring=TOP_LEVEL_KEYS)
    project = file.mapping(file.table, "project")
    reject_misspelt(file, project, "project", declaring=PROJECT_KEYS, others=("description",))


def _with_override(project: Project, tables: ToolTables) -> Project:
    """Return *project*, installed or not as *tables* say; a build has to tell its dynamic dependencies in any case."""
    if tables.is_package is None or project.name is None or has_dynamic_dependencies(project):
        return project
    return project._replace(is_package=tables.is_package)


def _default_groups(reader: RequirementReader, tables: ToolTables) -> tuple[str, ...]:
    """Return the normalized names of the groups that a sync installs unasked."""
    named = (DEFAULT_GROUP,) if tables.default_groups is None else tables.default_groups
    wanted = set(map(canonicalize_name, named))
    return tuple(group for group in reader.groups if group in wanted or ALL_GROUPS in named)


def _project(file: TomlFile) -> Project:
    if "project" not in file.table:
        is_package = is_named_by_backend(file)
        return Project(file=file.path, is_package=is_package, dynamic=ALL_DYNAMIC if is_package else frozenset())
    table = file.mapping(file.table, "project")
    name = file.string(table, "name", "project.name")
    dynamic = frozenset(file.strings(table, "dynamic", "project.dynamic"))
    return Project(
        file=file.path,
        name=canonicalize_name(name) if name else None,
        is_package=is_built(file, dynamic),
        dynamic=dynamic,
    )


def _requires_python(file: TomlFile) -> SpecifierSet | None:
    text = file.string(file.mapping(file.table, "project"), "requires-python", "project.requires-python")
    try:
        return None if text is None else parsed_specifier(text)
    except ValueError:
        problem = f"project.requires-python: `{shortened(text or '')}` is not a valid version specifier"
        raise file.error(problem, text, hint="write a specifier such as `>=3.10`") from None


def _indexes(file: TomlFile, table: Mapping[str, Any]) -> dict[str, str]:
    """Return the URL of the one index that a package may come from, by its normalized name."""
    indexes = file.mapping(table, "indexes", "tool.isolate.indexes")
    urls = {name: file.string(indexes, name, f"tool.isolate.indexes.{name}") for name in indexes}
    return {
        canonicalize_name(name): file.checked(partial(checked_url, url), f"tool.isolate.indexes.{name}", url)
        for name, url in urls.items()
        if url
    }


def read_settings(file: TomlFile) -> Settings:
    """Return `[tool.isolate]` of *file*; raise `DeclarationError` for a key or a value that is not valid."""
    table = file.mapping(file.mapping(file.table, "tool"), "isolate", "tool.isolate")
    if unknown := sorted(set(table) - set(SETTING_NAMES)):
        hint = f"known keys: {', '.join(sorted(SETTING_NAMES))}"
        raise file.error(f"tool.isolate: unknown key {unknown[0]}", unknown[0], hint=hint)
    link_mode = file.string(table, "link-mode", "tool.isolate.link-mode")
    if link_mode not in (None, *LINK_MODES):
        expected = ", ".join(LINK_MODES)
        raise file.error(f"tool.isolate.link-mode: expected one of {expected}, found {link_mode}", "link-mode")
    lists = {key.replace("-", "_"): tuple(file.strings(table, key, f"tool.isolate.{key}")) for key in LIST_SETTINGS}
    lists["no_build_isolation"] = tuple(map(canonicalize_name, lists["no_build_isolation"]))
    python = file.string(table, "python", "tool.isolate.python")
    return Settings(python=python, link_mode=link_mode, indexes=_indexes(file, table), **lists)
