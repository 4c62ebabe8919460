"""Chooses the files that declare an application's requirements, and reads them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from isolate.application import DECLARATION_FILES
from isolate.declarations.declared import Declarations, DeclaredRequirement, Project
from isolate.declarations.requirements_file import RequirementsFileContents, read_requirements
from isolate.declarations.requirements_text import VARIABLE
from isolate.declarations.settings import Settings
from isolate.errors import DeclarationError, NoDeclarations
from isolate.named import Named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from isolate.declarations.project_file import ProjectFile

NOTHING = Named()


def read_declarations(root: Path, environ: Mapping[str, str] | None = None, *, named: Named = NOTHING) -> Declarations:
    """Return what the application in *root* declares.

    The requirements are those of the files in *named*, else of those in `[tool.isolate]`, else of `pyproject.toml` if
    it declares dependencies, else of `requirements.txt`, else of `Pipfile`, else of `setup.py` and `setup.cfg`. With a
    lock alone, there are none. What only a build can tell is missing: see `Declarations.needs_metadata`.

    Args:
        root: The directory of the application, absolute.
        environ: The environment variables for `${NAME}` in requirements files; by default those of this process.
        named: The files that the user named on the command line.

    Raises:
        NoDeclarations: There is no file with declarations, and no lock.
        DeclarationError: A file cannot be read, or one of its lines is not valid.
    """
    environ = os.environ if environ is None else environ
    project = _project_file(root)
    settings = project.settings if project else Settings()
    requirements_files = [root / name for name in named.requirements or settings.requirements]
    if not requirements_files and not (project and project.declares) and (root / "requirements.txt").exists():
        requirements_files = [root / "requirements.txt"]
    contents = RequirementsFileContents(root, files={root / "pyproject.toml": project.content} if project else {})
    if not requirements_files and not (project and project.declares) and (root / "Pipfile").exists():
        project = _with_pipfile(project, contents)
    built = project.project if project else None
    if not requirements_files and not (project and (project.has_table or project.project.is_package)):
        built = _setuptools_project(root, contents, with_pyproject=project is not None) or built
    for path in requirements_files:
        read_requirements(path, contents, environ)
    for name in (*settings.constraints, *named.constraints):
        read_requirements(root / name, contents, environ, constraint=True)
    if not requirements_files and not (project and project.is_application) and not (built and built.is_package):
        _require_lock(root)
    if project and not requirements_files:
        project = _through_trees(project, contents)
    declarations = _declarations(project, requirements_files, contents, environ)
    declarations = declarations._replace(named=named, project=built)
    reject_conflicting_requirements(declarations.selected((), ()), declarations.constraints)
    return declarations


def _project_file(root: Path) -> ProjectFile | None:
    if not (root / "pyproject.toml").exists():
        return None
    from isolate.declarations.project_file import read_project_file

    return read_project_file(root / "pyproject.toml")


def _with_pipfile(project: ProjectFile | None, contents: RequirementsFileContents) -> ProjectFile:
    """Return what the `Pipfile` declares, with the rest from *project*; add it to *contents*."""
    from isolate.declarations.pipfile import read_pipfile

    path = contents.root / "Pipfile"
    found = read_pipfile(path)
    contents.files[path] = found.content
    if project is None:
        return found
    return project._replace(
        is_application=True,
        has_table=True,
        declares=True,
        requirements=found.requirements,
        requires_python=project.requires_python or found.requires_python,
        groups=found.groups,
        default_groups=found.default_groups,
        tables=project.tables.merged(found.tables),
    )


def _through_trees(project: ProjectFile, contents: RequirementsFileContents) -> ProjectFile:
    """Return *project* with what its source trees take from sources of their own; add their files to *contents*."""
    from isolate.declarations.local_trees import through_trees
    from isolate.declarations.project_file import read_tree

    contents.files.update(project.tables.contents)
    found, files = through_trees(project.requirements, read_tree, contents.root)
    contents.files.update(files)
    return project._replace(requirements=(*project.requirements, *found))


def _declarations(
    project: ProjectFile | None,
    requirements_files: list[Path],
    contents: RequirementsFileContents,
    environ: Mapping[str, str],
) -> Declarations:
    declarations = Declarations(
        root=contents.root,
        contents=contents.files,
        requirements=tuple(contents.requirements),
        constraints=tuple(contents.constraints),
        requirements_files=tuple(requirements_files),
        index_options=tuple(contents.index_options),
        expanded_index_options=tuple(contents.expanded_index_options),
    )
    return declarations if project is None else _with_project(declarations, project, environ)


def _with_project(declarations: Declarations, project: ProjectFile, environ: Mapping[str, str]) -> Declarations:
    """Return *declarations* with what *project* declares; its requirements only if no other file has them."""
    tables = project.tables
    expanded = [VARIABLE.sub(lambda match: environ.get(match[1]) or match[0], line) for line in tables.index_options]
    declarations = declarations._replace(
        requires_python=project.requires_python,
        package_indexes={**tables.package_indexes, **project.settings.indexes},
        index_options=(*tables.index_options, *declarations.index_options),
        expanded_index_options=(*expanded, *declarations.expanded_index_options),
        settings=project.settings,
    )
    if declarations.requirements_files:
        return declarations
    return declarations._replace(
        requirements=project.requirements,
        constraints=(*project.constraints, *declarations.constraints),
        extras=project.extras,
        groups=project.groups,
        default_groups=project.default_groups,
        refused=tables.refused,
        poetry=project.poetry,
    )


def _setuptools_project(root: Path, contents: RequirementsFileContents, *, with_pyproject: bool) -> Project | None:
    """Return the project that `setup.py` or `setup.cfg` in *root* declares, and add these files to *contents*."""
    from isolate.declarations.build_system import setuptools_project

    found = setuptools_project(root, with_pyproject=with_pyproject)
    if found is None:
        return None
    contents.files.update(found[1])
    return found[0]


def _require_lock(root: Path) -> None:
    """Raise `NoDeclarations` if *root*, which has no declarations, has no `pylock.toml` either."""
    if not (root / "pylock.toml").exists():
        from isolate.declarations.other_files import unused_files

        reason = ("pyproject.toml has neither [project] nor [dependency-groups], nor a backend that needs neither",)
        raise NoDeclarations(
            f"no declarations in {root}",
            facts=(
                f"looked for {', '.join(DECLARATION_FILES)}",
                *(reason if (root / "pyproject.toml").exists() else ()),
                *unused_files(root),
            ),
            hint="change to an application's directory, or create a requirements.txt",
            root=root,
        )


def reject_conflicting_requirements(
    requirements: Iterable[DeclaredRequirement], constraints: Iterable[DeclaredRequirement] = ()
) -> None:
    """Raise `DeclarationError` if one declaration pins a version that another one does not allow.

    All of them are for one environment. Two are compared only if their markers are equal, or if they have none.
    """
    by_name: dict[str | None, dict[tuple[object, ...], DeclaredRequirement]] = {}
    for declared in (*requirements, *constraints):
        if (requirement := declared.requirement) is not None:
            # Of equal declarations, one is compared: groups that include each other repeat many.
            key = (str(requirement.specifier), str(requirement.marker))
            by_name.setdefault(declared.name, {}).setdefault(key, declared)
    for same_name in by_name.values():
        for pinned in same_name.values():
            for other in same_name.values() if pinned.pin is not None else ():
                if _excludes(pinned, other):
                    raise _conflict(pinned, other)


def _excludes(pinned: DeclaredRequirement, other: DeclaredRequirement) -> bool:
    """Return whether *pinned* is a pin to a version that *other* does not allow, in the same environments."""
    if pinned.requirement is None or other.requirement is None or pinned.pin is None:
        return False
    same_marker = pinned.requirement.marker is None and other.requirement.marker is None
    same_marker = same_marker or str(pinned.requirement.marker) == str(other.requirement.marker)
    return same_marker and not other.requirement.specifier.contains(pinned.pin, prereleases=True)


def _conflict(pinned: DeclaredRequirement, other: DeclaredRequirement) -> DeclarationError:
    parts = {(pinned.extra, pinned.group), (other.extra, other.group)}
    return DeclarationError(
        f"conflicting requirements for {pinned.name}",
        facts=(f"{pinned.origin}: {pinned.text}", f"{other.origin}: {other.text}"),
        hint="keep one of them" if len(parts) == 1 else "change one of them, or do not ask for both",
        file=pinned.origin.file,
        line=pinned.origin.line,
    )
