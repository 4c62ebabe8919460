"""`Pipfile`: packages, packages for development, categories, sources, and the Python that it requires.

https://pipenv.pypa.io/en/latest/pipfile.html
"""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from isolate.declarations.declared import DeclaredRequirement, Project
from isolate.declarations.limits import parsed_requirement, parsed_specifier
from isolate.declarations.misspelt import reject_misspelt
from isolate.declarations.package_source import PackageSource
from isolate.declarations.project_file import ProjectFile
from isolate.declarations.requirement_line import invalid_requirement
from isolate.declarations.sources import checked_url, from_source, git_url, index_option, local_source
from isolate.declarations.toml_file import TomlFile, type_name
from isolate.declarations.tool_tables import ToolTables
from isolate.locked import DEFAULT_GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.specifiers import SpecifierSet

    from isolate.errors import DeclarationError

BASE, DEVELOPMENT = "packages", "dev-packages"
DECLARING = (BASE, DEVELOPMENT, "source", "requires")
OTHERS = ("scripts", "pipenv", "build-system")
MARKER_KEYS = (
    *("os_name", "sys_platform", "platform_machine", "platform_python_implementation", "platform_release"),
    *("platform_system", "platform_version", "python_version", "python_full_version", "implementation_name"),
    "implementation_version",
)
SOURCE_KEYS = ("editable", "file", "git", "path", "ref", "subdirectory")
KEYS = ("version", "extras", "markers", "index", *SOURCE_KEYS, *MARKER_KEYS)
INDEX_KEYS = ("name", "url", "verify_ssl")
REQUIRES_KEYS = ("python_version", "python_full_version")

GENERATED_NAME = re.compile(r"[0-9a-f]{7}")
"""Matches what pipenv calls a path whose name it does not know: the beginning of a hash."""

PUBLIC_INDEX = re.compile(r"https://pypi\.[a-z.]+/simple/?")
"""Matches the source that every new Pipfile has: the index that pip uses anyway, or what its settings say instead."""


def read_pipfile(path: Path) -> ProjectFile:
    """Return what the `Pipfile` at *path* declares; raise `DeclarationError` for what is not valid or not supported."""
    file = TomlFile(path)
    reject_misspelt(file, file.table, "", declaring=DECLARING, others=OTHERS)
    return _Reader(file).read()


class _Reader:
    def __init__(self, file: TomlFile) -> None:
        self._file = file
        self._sources = self._read_sources()
        self._package_indexes: dict[str, str] = {}

    def read(self) -> ProjectFile:
        file = self._file
        categories = [
            key for key in file.table if key not in (*DECLARING, *OTHERS) and isinstance(file.table[key], dict)
        ]
        requirements = [*self._of_table(BASE, None), *self._of_table(DEVELOPMENT, DEFAULT_GROUP)]
        for category in categories:
            requirements += self._of_table(category, canonicalize_name(category))
        groups = (*((DEFAULT_GROUP,) if DEVELOPMENT in file.table else ()), *map(canonicalize_name, categories))
        return ProjectFile(
            content=file.content,
            project=Project(file=file.path),
            is_application=True,
            has_table=True,
            declares=True,
            requirements=tuple(requirements),
            requires_python=self._requires_python(),
            groups=groups,
            default_groups=groups[:1] if DEVELOPMENT in file.table else (),
            tables=ToolTables(index_options=tuple(self._options()), package_indexes=self._package_indexes),
        )

    def _requires_python(self) -> SpecifierSet | None:
        table = self._file.mapping(self._file.table, "requires")
        reject_misspelt(self._file, table, "requires", declaring=REQUIRES_KEYS)
        minor, full = (self._file.string(table, key, f"requires.{key}") for key in REQUIRES_KEYS)
        try:
            return parsed_specifier(f"=={full}") if full else parsed_specifier(f"=={minor}.*") if minor else None
        except ValueError:
            raise self._file.error(f"requires: `{full or minor}` is not a version of Python", full or minor) from None

    def _read_sources(self) -> list[Mapping[str, Any]]:
        sources = self._file.table.get("source", [])
        if not isinstance(sources, list) or not all(isinstance(source, dict) for source in sources):
            raise self._file.error(f"source: expected a list of tables, found {type_name(sources)}", "source")
        for source in sources:
            reject_misspelt(self._file, source, "source", declaring=INDEX_KEYS)
            if (url := self._file.string(source, "url", "source.url")) is None:
                raise self._file.error("source: expected a url", "source")
            self._file.checked(partial(checked_url, url), "source", url)
        return sources

    def _options(self) -> Iterator[str]:
        """Yield the options for the index of all packages that name none: the first source alone, as for pipenv."""
        settings = self._file.mapping(self._file.table, "pipenv")
        if settings.get("allow_prereleases") is True:
            yield "--pre"
        searched = self._sources if settings.get("install_search_all_sources") is True else self._sources[:1]
        for number, source in enumerate(searched):
            if not PUBLIC_INDEX.fullmatch(source["url"]):
                kind = "--extra-index-url" if number else "--index-url"
                yield index_option(kind, source["url"], self._file.path)
        for source in self._sources:
            if source.get("verify_ssl") is False and (host := urlsplit(source["url"]).hostname):
                yield f"--trusted-host {host}"

    def _of_table(self, key: str, group: str | None) -> Iterator[DeclaredRequirement]:
        for name, value in self._file.mapping(self._file.table, key).items():
            table = {"version": value} if isinstance(value, str) else value
            if not isinstance(table, dict):
                raise self._file.error(f"{key}.{name}: expected a string or a table, found {type_name(value)}", name)
            if unknown := sorted(table.keys() - {*KEYS}):
                hint = f"known keys: {', '.join(KEYS)}"
                raise self._file.error(f"{key}.{name}: unknown key {unknown[0]}", name, hint=hint)
            yield self._declared(name, table, f"{key}.{name}")._replace(group=group)

    def _declared(self, name: str, table: Mapping[str, Any], place: str) -> DeclaredRequirement:
        origin = self._file.origin(f"{name} =")
        self._bind(name, table, place)
        source = self._source(table, place)
        if source is not None and source.path is not None and GENERATED_NAME.fullmatch(name):
            text = f"-e {quote(source.url)}" if source.editable else source.url
            return DeclaredRequirement(text, origin, editable=source.editable, path=source.path, url=source.url)
        extras = ",".join(self._file.strings(table, "extras", f"{place}.extras"))
        markers = " and ".join(self._markers(table, place))
        version = "" if source is not None else self._version(table, place)
        text = f"{name}{f'[{extras}]' if extras else ''}{version}{f' ; {markers}' if markers else ''}"
        try:
            requirement = parsed_requirement(text)
        except ValueError as error:
            raise invalid_requirement(text, str(error), origin) from None
        declared = DeclaredRequirement(str(requirement), origin, requirement=requirement)
        if source is None:
            return declared
        return self._file.checked(lambda: from_source(declared, source), place, name)

    def _version(self, table: Mapping[str, Any], place: str) -> str:
        version = self._file.string(table, "version", f"{place}.version") or "*"
        if version.strip() == "*":
            return ""
        return f"=={version}" if version[0].isdigit() else version

    def _markers(self, table: Mapping[str, Any], place: str) -> Iterator[str]:
        if (markers := self._file.string(table, "markers", f"{place}.markers")) is not None:
            yield f"({markers})"
        for key in MARKER_KEYS:
            if (value := self._file.string(table, key, f"{place}.{key}")) is not None:
                yield f"{key} {value}"

    def _bind(self, name: str, table: Mapping[str, Any], place: str) -> None:
        """Bind the package *name* to the index that *table* names, unless that is the one of all packages."""
        index = self._file.string(table, "index", f"{place}.index")
        if index is None:
            return
        found = [source["url"] for source in self._sources if index in (source.get("name"), source["url"])]
        if not found:
            raise self._file.error(f"{place}: there is no source {index}", name)
        if found[0] != self._sources[0]["url"]:
            self._package_indexes[canonicalize_name(name)] = found[0]

    def _source(self, table: Mapping[str, Any], place: str) -> PackageSource | None:
        text = {key: self._file.string(table, key, f"{place}.{key}") for key in SOURCE_KEYS if key != "editable"}
        editable = table.get("editable") is True
        if text["git"]:
            if editable:
                raise self._not_editable(place)
            return PackageSource(url=git_url(text["git"], text["ref"], text["subdirectory"]))
        location = text["path"] or text["file"]
        if location is None:
            return None
        if "://" in location:
            return PackageSource(url=location)
        return local_source(Path(os.path.join(self._file.path.parent, location)), editable=editable)

    def _not_editable(self, place: str) -> DeclarationError:
        hint = "remove `editable`, or clone the repository and give its path"
        return self._file.error(f"{place}: an editable git requirement is not supported", "editable", hint=hint)
