"""The requirements of a `pyproject.toml`: dependencies and extras (PEP 621), groups (PEP 735)."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from isolate.declarations.declared import DeclaredRequirement
from isolate.declarations.limits import MAX_DEPTH, MAX_REQUIREMENTS
from isolate.declarations.requirement_line import invalid_requirement, requirement_in
from isolate.declarations.toml_file import type_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.requirements import Requirement

    from isolate.declarations.declared import Origin, Project
    from isolate.declarations.toml_file import TomlFile


class RequirementReader:
    """Reads the requirements of the `pyproject.toml` *file*, whose `[project]` table describes *project*.

    Its methods raise `DeclarationError` for a value that is not valid.
    """

    def __init__(self, file: TomlFile, project: Project, groups: Mapping[str, list[str]]) -> None:
        """Take the file, the project, and the requirements that other tables add to *groups*, by name."""
        self._file = file
        self._project = project
        self._table = file.mapping(file.table, "project")
        self._extras = file.mapping(self._table, "optional-dependencies", "project.optional-dependencies")
        self._groups = merged_groups(file.mapping(file.table, "dependency-groups"), groups)
        self._extras_by_name: dict[str, list[str]] = {}
        for extra in self._extras:
            self._extras_by_name.setdefault(canonicalize_name(extra), []).append(extra)
        self._parsed: dict[str, Requirement] = {}
        self._origins: dict[str, Origin] = {}
        self._expanded: dict[str, list[str]] = {}
        self._count = 0

    @property
    def extras(self) -> tuple[str, ...]:
        """Return the normalized names of the extras."""
        return tuple(canonicalize_name(extra) for extra in self._extras)

    @property
    def groups(self) -> tuple[str, ...]:
        """Return the normalized names of the groups."""
        return tuple(canonicalize_name(group) for group in self._groups)

    def base(self) -> list[DeclaredRequirement]:
        """Return the requirements that every environment gets."""
        texts = self._file.strings(self._table, "dependencies", "project.dependencies")
        return [self._declared(*found) for found in self._expand(texts)]

    def constraints(self, texts: Iterable[str]) -> list[DeclaredRequirement]:
        """Return the requirements in *texts*, which are in the file, as constraints."""
        return [self._declared(text, frozenset()) for text in texts]

    def of_extras(self) -> Iterator[DeclaredRequirement]:
        """Yield the requirements of every extra."""
        for extra in self._extras:
            for found in self._expand(self._of_extra(extra), canonicalize_name(extra)):
                yield self._declared(*found)._replace(extra=canonicalize_name(extra))

    def of_groups(self) -> Iterator[DeclaredRequirement]:
        """Yield the requirements of every group."""
        names = self._group_names()
        for group in self._groups:
            for found in self._expand(self._of_group(group, names, ())):
                yield self._declared(*found)._replace(group=canonicalize_name(group))

    def _of_extra(self, extra: str) -> list[str]:
        return self._file.strings(self._extras, extra, f"project.optional-dependencies.{extra}")

    def _expand(self, texts: Iterable[str], above: str = "") -> Iterator[tuple[str, frozenset[str]]]:
        """Yield *texts*, each reference to the project (`project[extra]`) replaced by the requirements of its extras.

        With each come the markers of the references to it. An extra that has been expanded under the same markers or
        fewer is not expanded again, nor is the extra *above*.
        """
        expanded: dict[str, list[frozenset[str]]] = {above: [frozenset()]}
        pending = [(iter(texts), frozenset[str]())]
        while pending:  # not recursive, for a chain of extras may be longer than Python's stack
            iterator, markers = pending[-1]
            if (text := next(iterator, None)) is None:
                pending.pop()
                continue
            requirement = self._requirement(text)
            if not self._is_own(requirement):
                yield text, markers
                continue
            markers |= {str(requirement.marker)} if requirement.marker else set()
            for name in sorted(map(canonicalize_name, requirement.extras), reverse=True):
                if any(known <= markers for known in expanded.get(name, ())):
                    continue
                self._count_one()
                expanded.setdefault(name, []).append(markers)
                pending += [(iter(self._of_extra(extra)), markers) for extra in self._named_by(name, text)]

    def _is_own(self, requirement: Requirement) -> bool:
        """Return whether *requirement* means the project itself, and names extras that the file declares.

        Without a build system its bare name means a package of the index. Dynamic extras are known only after a build.
        """
        if canonicalize_name(requirement.name) != self._project.name or requirement.url is not None:
            return False
        if self._project.is_package:
            return "optional-dependencies" not in self._project.dynamic
        return bool(requirement.extras)

    def _named_by(self, name: str, text: str) -> list[str]:
        """Return the extras that the normalized *name* means in *text*, a requirement; backends ignore unknown ones.

        Raises `DeclarationError` where there is no backend.
        """
        if name not in self._extras_by_name and not self._project.is_package:
            hint = f"declared extras: {', '.join(self._extras_by_name) or 'none'}"
            raise self._file.error(f"`{text}`: the project has no extra {name}", text, hint=hint)
        return sorted(self._extras_by_name.get(name, ()), reverse=True)

    def _group_names(self) -> Mapping[str, str]:
        """Return the groups' names as written, by normalized name."""
        names: dict[str, str] = {}
        for group in self._groups:
            if other := names.get(canonicalize_name(group)):
                raise self._file.error(f"duplicate group: {group} and {other} have the same normalized name", group)
            names[canonicalize_name(group)] = group
        return names

    def _of_group(self, group: str, names: Mapping[str, str], above: tuple[str, ...]) -> list[str]:
        """Return the requirements of *group* and of the groups that it includes; *above* are those that include it."""
        if group not in self._expanded:
            texts = self._expand_group(group, names, above)
            self._expanded[group] = list(dict.fromkeys(texts))
        return self._expanded[group]

    def _expand_group(self, group: str, names: Mapping[str, str], above: tuple[str, ...]) -> Iterator[str]:
        if len(above) > MAX_DEPTH:
            problem = f"dependency-groups.{group}: groups include each other more than {MAX_DEPTH} levels deep"
            raise self._file.error(problem, group, hint="let fewer groups include each other")
        if group in above:
            route = " → ".join((*above, group))
            raise self._file.error(f"dependency-groups.{group} includes itself: {route}", "include-group")
        items = self._groups[group]
        if not isinstance(items, list):
            raise self._file.error(f"dependency-groups.{group}: expected a list, found {type_name(items)}", group)
        for item in items:
            if isinstance(item, str):
                yield item
            else:
                yield from self._of_group(self._included_group(item, group, names), names, (*above, group))

    def _included_group(self, item: object, group: str, names: Mapping[str, str]) -> str:
        """Return the name, as written, of the group that an *item* of *group* includes."""
        name: Any = item.get("include-group") if isinstance(item, dict) and len(item) == 1 else None
        if not isinstance(name, str):
            expected = 'a requirement or { include-group = "name" }'
            raise self._file.error(f"dependency-groups.{group}: expected {expected}, found {type_name(item)}", group)
        if canonicalize_name(name) not in names:
            raise self._file.error(
                f"dependency-groups.{group} includes {name}, which does not exist",
                name,
                hint=f"declared groups: {', '.join(names.values())}",
            )
        return names[canonicalize_name(name)]

    def _declared(self, text: str, markers: frozenset[str]) -> DeclaredRequirement:
        """Return the requirement in *text*, limited by the *markers* of what refers to it."""
        requirement = self._requirement(text)
        if text not in self._origins:
            self._origins[text] = self._file.origin(text)
        self._count_one()
        # A project that can be built is installed from its own directory; the index is not asked for it.
        is_own_project = self._project.is_package and canonicalize_name(requirement.name) == self._project.name
        requirement = _limited(requirement, markers)
        return DeclaredRequirement(
            text=str(requirement) if markers or (requirement.url or "") not in text else text,
            origin=self._origins[text],
            requirement=requirement,
            editable=is_own_project,
            path=self._file.path.parent if is_own_project else None,
            url=requirement.url,
        )

    def _count_one(self) -> None:
        self._count += 1
        if self._count > MAX_REQUIREMENTS:
            problem = f"extras and groups include more than {MAX_REQUIREMENTS} requirements"
            raise self._file.error(problem, None, hint="let fewer of them include each other")

    def _requirement(self, text: str) -> Requirement:
        """Return the requirement in *text*, which is parsed once, however many extras and groups include it."""
        if text not in self._parsed:
            self._parsed[text] = self._parse(text)
        return self._parsed[text]

    def _parse(self, text: str) -> Requirement:
        try:
            return requirement_in(self._file.path.parent, text)
        except ValueError as error:
            raise invalid_requirement(text, str(error), self._file.origin(text)) from None


def merged_groups(groups: Mapping[str, Any], more: Mapping[str, list[str]]) -> Mapping[str, Any]:
    """Return *groups* with *more* requirements, by the name of the group, in whatever spelling."""
    merged, spellings = {**groups}, {canonicalize_name(name): name for name in groups}
    for name, texts in more.items():
        known = spellings.setdefault(canonicalize_name(name), name)
        items = merged.get(known, [])
        merged[known] = [*items, *texts] if isinstance(items, list) else items
    return merged


def _limited(requirement: Requirement, markers: frozenset[str]) -> Requirement:
    """Return *requirement* with a marker that is true where its own and all *markers* are."""
    if not markers:
        return requirement
    from packaging.markers import Marker

    limited = copy(requirement)
    own = {str(requirement.marker)} if requirement.marker else set()
    limited.marker = Marker(" and ".join(f"({marker})" for marker in sorted(markers | own)))
    return limited
