"""`pyproject.toml`: `[project]` (PEP 621), groups (PEP 735), `[build-system]` (PEP 518), `[tool.isolate]`."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from isolate.declarations.declared import DeclaredRequirement, Origin, Project
from isolate.declarations.requirement_line import not_a_requirement
from isolate.declarations.settings import LINK_MODES, Settings
from isolate.errors import DeclarationError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

KNOWN = ("applications", "constraints", "exclude", "link-mode", "python", "requirements")


class ProjectFile(NamedTuple):
    """What a `pyproject.toml` says, and its bytes.

    `is_application`: it does more than configure tools; `declares`: it says something about dependencies.
    """

    content: bytes
    project: Project
    is_application: bool = False
    declares: bool = False
    requirements: tuple[DeclaredRequirement, ...] = ()
    requires_python: SpecifierSet | None = None
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    settings: Settings = Settings()


def read_project_file(path: Path) -> ProjectFile:
    """Return what the `pyproject.toml` in *path* says; raise `DeclarationError` with the place of what is wrong."""
    return _Reader(path).read()


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._content = path.read_bytes()
            self._text = self._content.decode()
            self._table = tomllib.loads(self._text)
        except OSError as error:
            raise DeclarationError(f"cannot be read: {error.strerror}", file=path) from None
        except UnicodeDecodeError as error:
            raise DeclarationError(f"is not UTF-8: {error.reason}", hint="save it as UTF-8", file=path) from None
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            line = re.search(r"at line (\d+)", str(error))
            raise DeclarationError(
                f"is not TOML: {error}", hint="correct it", file=path, line=int(line[1]) if line else None
            ) from None

    def read(self) -> ProjectFile:
        project = self._mapping(self._table, "project")
        groups = self._mapping(self._table, "dependency-groups")
        dynamic = frozenset(self._texts(project, "dynamic", "project.dynamic"))
        extras = self._mapping(project, "optional-dependencies", "project.optional-dependencies")
        base = self._requirements(self._texts(project, "dependencies", "project.dependencies"))
        name = self._text_at(project, "name", "project.name")
        is_package = "build-system" in self._table
        itself = name if is_package and "optional-dependencies" not in dynamic else None  # else only building tells
        return ProjectFile(
            content=self._content,
            project=Project(
                file=self._path,
                name=canonicalize_name(name) if name else None,
                is_package=is_package,
                dynamic=dynamic,
            ),
            is_application=not {"project", "dependency-groups", "build-system"}.isdisjoint(self._table),
            declares=bool(base or extras or groups or "dependencies" in dynamic),
            requirements=(*base, *self._of_extras(extras, name), *self._of_groups(groups, extras, itself)),
            requires_python=self._requires_python(project),
            extras=tuple(canonicalize_name(extra) for extra in extras),
            groups=tuple(canonicalize_name(group) for group in groups),
            settings=self._settings(),
        )

    def _requires_python(self, project: Mapping[str, Any]) -> SpecifierSet | None:
        text = self._text_at(project, "requires-python", "project.requires-python")
        try:
            return None if text is None else SpecifierSet(text)
        except InvalidSpecifier:
            raise self._error(
                f"requires-python: `{text}` is no range of versions", text, hint="`>=3.10` for example"
            ) from None

    def _of_extras(self, extras: Mapping[str, Any], project: str | None) -> Iterator[DeclaredRequirement]:
        for extra in extras:
            for one in self._expanded(self._of_extra(extra, extras), extras, project, (extra,)):
                yield self._declared(one, extra=canonicalize_name(extra))

    def _of_extra(self, extra: str, extras: Mapping[str, Any]) -> list[str]:
        return self._texts(extras, extra, f"project.optional-dependencies.{extra}")

    def _expanded(
        self, texts: Iterable[str], extras: Mapping[str, Any], project: str | None, above: tuple[str, ...]
    ) -> Iterator[str]:
        """Yield *texts*, with the requirements of the project's extras in place of their names (`project[extra]`)."""
        for text in texts:
            requirement = self._requirement(text)
            if project is None or canonicalize_name(requirement.name) != canonicalize_name(project):
                yield text
                continue
            for other in extras:
                wanted = canonicalize_name(other) in {canonicalize_name(one) for one in requirement.extras}
                if wanted and other not in above:
                    yield from self._expanded(self._of_extra(other, extras), extras, project, (*above, other))

    def _of_groups(
        self, groups: Mapping[str, Any], extras: Mapping[str, Any], itself: str | None
    ) -> Iterator[DeclaredRequirement]:
        """Yield what *groups* ask for; *itself* is the name by which they mean the project, if there is one."""
        names: dict[str, str] = {}
        for group in groups:
            if canonicalize_name(group) in names:
                raise self._error(f"{group} and {names[canonicalize_name(group)]} name one group", group)
            names[canonicalize_name(group)] = group
        for group in groups:
            for text in self._expanded(self._included(group, groups, names, ()), extras, itself, ()):
                yield self._declared(text, group=canonicalize_name(group))

    def _included(
        self, group: str, groups: Mapping[str, Any], names: Mapping[str, str], above: tuple[str, ...]
    ) -> Iterator[str]:
        if group in above:
            raise self._error(f"the group {group} includes itself: {' → '.join((*above, group))}", "include-group")
        items = groups[group]
        if not isinstance(items, list):
            raise self._error(f"dependency-groups.{group}: expected a list, found {_kind(items)}", group)
        for item in items:
            if isinstance(item, str):
                yield item
            elif isinstance(item, dict) and set(item) == {"include-group"} and isinstance(item["include-group"], str):
                other = canonicalize_name(item["include-group"])
                if other not in names:
                    known = ", ".join(names.values())
                    raise self._error(
                        f"the group {group} includes {item['include-group']}, which is not declared",
                        item["include-group"],
                        hint=f"declared: {known}",
                    )
                yield from self._included(names[other], groups, names, (*above, group))
            else:
                expected = 'a requirement or { include-group = "name" }'
                raise self._error(f"dependency-groups.{group}: expected {expected}, found {_kind(item)}", group)

    def _requirements(self, texts: list[str]) -> list[DeclaredRequirement]:
        return [self._declared(text) for text in texts]

    def _declared(self, text: str, *, extra: str | None = None, group: str | None = None) -> DeclaredRequirement:
        requirement, origin = self._requirement(text), self._origin(text)
        itself = self._is_itself(requirement)
        return DeclaredRequirement(
            text=text,
            origin=origin,
            requirement=requirement,
            editable=itself,
            path=self._path.parent if itself else None,
            url=requirement.url,
            extra=extra,
            group=group,
        )

    def _is_itself(self, requirement: Requirement) -> bool:
        """Say whether *requirement* names the project, which can be built: no index is asked for that."""
        name = self._mapping(self._table, "project").get("name")
        built = "build-system" in self._table and isinstance(name, str)
        return built and canonicalize_name(requirement.name) == canonicalize_name(str(name))

    def _requirement(self, text: str) -> Requirement:
        try:
            requirement = Requirement(text)
            parts = urlsplit(requirement.url or "")  # which takes not every address that a requirement may have
            if "\0" in unquote(parts.path):
                raise ValueError("its address has a NUL")
        except ValueError as error:
            raise not_a_requirement(text, str(error), self._origin(text)) from None
        return requirement

    def _settings(self) -> Settings:
        tools = self._mapping(self._table, "tool")
        table = self._mapping(tools, "isolate", "tool.isolate")
        unknown = sorted(set(table) - set(KNOWN))
        if unknown:
            raise self._error(f"tool.isolate: {unknown[0]} is not known", unknown[0], hint=f"known: {', '.join(KNOWN)}")
        link_mode = self._text_at(table, "link-mode", "tool.isolate.link-mode")
        if link_mode not in (None, *LINK_MODES):
            expected = ", ".join(LINK_MODES)
            raise self._error(f"tool.isolate.link-mode: expected one of {expected}, found {link_mode}", "link-mode")
        lists = {
            key: tuple(self._texts(table, key, f"tool.isolate.{key}"))
            for key in KNOWN
            if key not in ("python", "link-mode")
        }
        return Settings(python=self._text_at(table, "python", "tool.isolate.python"), link_mode=link_mode, **lists)

    def _mapping(self, table: Mapping[str, Any], key: str, name: str | None = None) -> Mapping[str, Any]:
        value = table.get(key, {})
        if not isinstance(value, dict):
            raise self._error(f"{name or key}: expected a table, found {_kind(value)}", key)
        return value

    def _texts(self, table: Mapping[str, Any], key: str, name: str) -> list[str]:
        value = table.get(key, [])
        if not isinstance(value, list):
            raise self._error(f"{name}: expected a list of strings, found {_kind(value)}", key)
        for item in value:
            if not isinstance(item, str):
                raise self._error(f"{name}: expected strings, found {_kind(item)}", key)
            self._refuse_nul(item, key, name)
        return value

    def _text_at(self, table: Mapping[str, Any], key: str, name: str) -> str | None:
        value = table.get(key)
        if value is not None and not isinstance(value, str):
            raise self._error(f"{name}: expected a string, found {_kind(value)}", key)
        self._refuse_nul(value or "", key, name)
        return value

    def _refuse_nul(self, text: str, key: str, name: str) -> None:
        if "\0" in text:  # which no path may have, and no word of a command
            raise self._error(f"{name}: {text!r} has a NUL", key)

    def _error(self, problem: str, about: str | None, *, hint: str | None = None) -> DeclarationError:
        line = self._origin(about).line if about else None
        return DeclarationError(problem, hint=hint or "correct it", file=self._path, line=line)

    def _origin(self, text: str) -> Origin:
        """Return where *text* stands; without a line where it stands more than once, or is written with escapes."""
        lines = [number for number, line in enumerate(self._text.splitlines(), start=1) if text in line]
        return Origin(file=self._path, line=lines[0] if len(lines) == 1 else None)


def _kind(value: object) -> str:
    names = {str: "a string", bool: "true or false", int: "a number", float: "a number", list: "a list"}
    return "a table" if isinstance(value, dict) else names.get(type(value), "a date")
