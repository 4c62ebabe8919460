"""Which files say what an application asks for, and all that they say."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from isolate.application import DECLARATIONS
from isolate.declarations.declared import Declarations, DeclaredRequirement
from isolate.declarations.project_file import ProjectFile, read_project_file
from isolate.declarations.requirements_file import Found, read_requirements
from isolate.declarations.settings import Settings
from isolate.errors import DeclarationError, NoDeclarations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def read_declarations(root: Path, environ: Mapping[str, str] | None = None) -> Declarations:
    """Return what the application in *root* asks for; raise `DeclarationError` with the file and the line.

    `pyproject.toml` leads if it says anything about dependencies; else `requirements.txt` does. Files that
    `[tool.isolate]` names go before both. Where there is nothing but a lock, that is all that is asked for; where there
    is not even that, this raises `NoDeclarations`.
    """
    environ = os.environ if environ is None else environ
    project = read_project_file(root / "pyproject.toml") if (root / "pyproject.toml").exists() else None
    settings = project.settings if project else Settings()
    named = [root / name for name in settings.requirements]
    if not named and not (project and project.declares) and (root / "requirements.txt").exists():
        named = [root / "requirements.txt"]
    found = Found(root, contents={root / "pyproject.toml": project.content} if project else {})
    for path in named:
        read_requirements(path, environ=environ, found=found)
    for name in settings.constraints:
        read_requirements(root / name, environ=environ, found=found, constraint=True)
    if not named and not (project and project.is_application):
        _check_lock_alone(root)
    declarations = _together(root, project, named, found)
    refuse_contradictions(declarations.requirements, declarations.constraints)
    return declarations


def _together(root: Path, project: ProjectFile | None, named: list[Path], found: Found) -> Declarations:
    leads = project is not None and not named
    return Declarations(
        root=root,
        contents=found.contents,
        requirements=project.requirements if project and leads else tuple(found.requirements),
        constraints=tuple(found.constraints),
        requires_python=project.requires_python if project else None,
        extras=project.extras if project and leads else (),
        groups=project.groups if project and leads else (),
        project=project.project if project else None,
        requirements_files=tuple(named),
        index_options=tuple(found.index_options),
        settings=project.settings if project else Settings(),
    )


def _check_lock_alone(root: Path) -> None:
    if not (root / "pylock.toml").exists():
        only = ("a pyproject.toml without [project] and [dependency-groups] is that of no application",)
        raise NoDeclarations(
            f"no declarations in {root}",
            facts=(f"looked for {', '.join(DECLARATIONS)}", *(only if (root / "pyproject.toml").exists() else ())),
            hint="go to the directory of an application, or write down what it needs in requirements.txt",
            root=root,
        )


def refuse_contradictions(
    requirements: Iterable[DeclaredRequirement], constraints: Iterable[DeclaredRequirement] = ()
) -> None:
    """Raise `DeclarationError` for two declarations of which one pins a version that the other does not allow.

    Only such are compared as count together in every environment: same marker or none, and not of two different extras
    or groups.
    """
    everything = [one for one in (*requirements, *constraints) if one.requirement is not None]
    by_name: dict[str | None, list[DeclaredRequirement]] = {}
    for one in everything:
        by_name.setdefault(one.name, []).append(one)
    for declared in by_name.values():
        for pinned in declared:
            for other in declared:
                if pinned.pin is not None and _contradict(pinned, other):
                    _refuse(pinned, other)


def _contradict(pinned: DeclaredRequirement, other: DeclaredRequirement) -> bool:
    if pinned.requirement is None or other.requirement is None or pinned.pin is None:
        return False
    together = (
        (pinned.extra, pinned.group) == (other.extra, other.group)
        or (pinned.extra, pinned.group) == (None, None)
        or (other.extra, other.group) == (None, None)
    )
    same_marker = pinned.requirement.marker is None and other.requirement.marker is None
    same_marker = same_marker or str(pinned.requirement.marker) == str(other.requirement.marker)
    return together and same_marker and not other.requirement.specifier.contains(pinned.pin, prereleases=True)


def _refuse(one: DeclaredRequirement, other: DeclaredRequirement) -> None:
    raise DeclarationError(
        f"{one.name} is declared twice, and no version meets both",
        facts=(f"{one.origin}: {one.text}", f"{other.origin}: {other.text}"),
        hint="keep one of them",
        file=one.origin.file,
        line=one.origin.line,
    )
