"""`pyproject.toml`: `[project]` (PEP 621), groups (PEP 735), `[build-system]` (PEP 518), `[tool.isolate]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_name

from isolate.declarations.build_system import is_built, is_named_by_backend
from isolate.declarations.declared import ALL_DYNAMIC, DeclaredRequirement, Project, has_dynamic_dependencies
from isolate.declarations.limits import parsed_specifier, shortened
from isolate.declarations.project_requirements import RequirementReader
from isolate.declarations.settings import LINK_MODES, Settings
from isolate.declarations.toml_file import TomlFile

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.specifiers import SpecifierSet

SETTING_NAMES = ("applications", "constraints", "exclude", "link-mode", "metadata-files", "python", "requirements")


class ProjectFile(NamedTuple):
    """The bytes of a `pyproject.toml`, and what it declares.

    `is_application`: it does more than configure tools; `has_table`: there is a `[project]`; `declares`: it declares
    dependencies, extras or groups.
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


def read_project_file(path: Path) -> ProjectFile:
    """Return what the `pyproject.toml` at *path* declares; raise `DeclarationError` with the line of an error."""
    file = TomlFile(path)
    project = _project(file)
    reader = RequirementReader(file, project)
    base = reader.base()
    return ProjectFile(
        content=file.content,
        project=project,
        is_application=not {"project", "dependency-groups"}.isdisjoint(file.table) or project.is_package,
        has_table="project" in file.table,
        declares=bool(base or reader.extras or reader.groups) or has_dynamic_dependencies(project),
        requirements=(*base, *reader.of_extras(), *reader.of_groups()),
        requires_python=_requires_python(file),
        extras=reader.extras,
        groups=reader.groups,
        settings=read_settings(file),
    )


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


def read_settings(file: TomlFile) -> Settings:
    """Return `[tool.isolate]` of *file*; raise `DeclarationError` for a key or a value that is not valid."""
    table = file.mapping(file.mapping(file.table, "tool"), "isolate", "tool.isolate")
    if unknown := sorted(set(table) - set(SETTING_NAMES)):
        hint = f"known keys: {', '.join(SETTING_NAMES)}"
        raise file.error(f"tool.isolate: unknown key {unknown[0]}", unknown[0], hint=hint)
    link_mode = file.string(table, "link-mode", "tool.isolate.link-mode")
    if link_mode not in (None, *LINK_MODES):
        expected = ", ".join(LINK_MODES)
        raise file.error(f"tool.isolate.link-mode: expected one of {expected}, found {link_mode}", "link-mode")
    lists = {
        key.replace("-", "_"): tuple(file.strings(table, key, f"tool.isolate.{key}"))
        for key in SETTING_NAMES
        if key not in ("python", "link-mode")
    }
    return Settings(python=file.string(table, "python", "tool.isolate.python"), link_mode=link_mode, **lists)
