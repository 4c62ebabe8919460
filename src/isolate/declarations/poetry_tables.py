"""`[tool.poetry]`: dependencies, groups, extras and sources, in Poetry's own format.

https://python-poetry.org/docs/pyproject/

Version constraints are not read here: only Poetry's library understands them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from isolate.declarations.declared import PoetryDependency
from isolate.declarations.misspelt import reject_misspelt
from isolate.declarations.package_source import PackageSource
from isolate.declarations.sources import checked_url, git_url, index_option, local_source
from isolate.declarations.toml_file import type_name
from isolate.declarations.tool_tables import PoetryTables, ToolTables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from isolate.declarations.declared import Origin
    from isolate.declarations.toml_file import TomlFile

DECLARING = ("dependencies", "dev-dependencies", "extras", "group", "package-mode", "source")
OTHERS = ("packages", "include", "exclude", "build", "scripts", "name", "requires-poetry", "requires-plugins")
GROUP_KEYS = ("dependencies", "include-groups", "optional")
CONSTRAINT_KEYS = ("version", "python", "platform", "markers", "extras")
"""What Poetry's library turns into a requirement."""

SOURCE_KEYS = ("branch", "develop", "file", "git", "path", "rev", "source", "subdirectory", "tag", "url")
OTHER_KEYS = ("optional", "allow-prereleases")
INDEX_KEYS = ("name", "url", "priority", "default", "secondary", "links", "indexed")
DEFAULT_INDEX = "pypi"
"""The name, in any case, of the index that is used without a source."""


def read_poetry_tables(file: TomlFile) -> PoetryTables:
    """Return what `[tool.poetry]` of *file* declares; raise `DeclarationError` if it is not valid."""
    table = file.mapping(file.mapping(file.table, "tool"), "poetry", "tool.poetry")
    reject_misspelt(file, table, "tool.poetry", declaring=DECLARING, others=OTHERS)
    return _Reader(file, table).read()


class _Reader:
    def __init__(self, file: TomlFile, table: Mapping[str, Any]) -> None:
        self._file, self._table = file, table
        self._project = file.mapping(file.table, "project")
        self._main = file.mapping(table, "dependencies", "tool.poetry.dependencies")
        self._options, self._urls = self._indexes()
        self._package_indexes: dict[str, str] = {}

    def read(self) -> PoetryTables:
        dynamic = self._file.strings(self._project, "dynamic", "project.dynamic")
        has_main = "project" not in self._file.table or "dependencies" in dynamic
        groups = self._group_tables()
        found = [*(self._of_main() if has_main else ())]
        for name in groups:
            found += self._of_group(name, groups, ())
        own_name = self._file.string(self._table, "name", "tool.poetry.name")
        optional = {group for group, table in groups.items() if table.get("optional") is True}
        extras = self._extras() if has_main else {}
        python = self._main.get("python")
        sources = {} if has_main else self._sources_of_main()
        return PoetryTables(
            name=None if own_name is None else canonicalize_name(own_name),
            has_main=has_main,
            is_package="build-system" in self._file.table and self._table.get("package-mode") is not False,
            python=python if isinstance(python, str) and "requires-python" not in self._project else None,
            dependencies=tuple(found),
            extras=tuple(extras),
            groups=tuple(map(canonicalize_name, groups)),
            default_groups=tuple(canonicalize_name(group) for group in groups if group not in optional),
            tables=ToolTables(
                index_options=tuple(self._options), package_indexes=self._package_indexes, sources=sources
            ),
        )

    def _of_main(self) -> Iterator[PoetryDependency]:
        """Yield the dependencies of the project, and those of its extras."""
        extras = self._extras()
        for name, value in self._main.items():
            if canonicalize_name(name) == "python":
                continue
            for found, is_optional in self._converted(name, value, "tool.poetry.dependencies"):
                if not is_optional:
                    yield found
                for extra, names in extras.items():
                    if is_optional and canonicalize_name(name) in names:
                        yield found._replace(extra=extra)

    def _sources_of_main(self) -> dict[str, tuple[PackageSource, ...]]:
        """Return the sources of what `[project]` declares, by normalized name."""
        found = {
            canonicalize_name(name): [entry for entry, _ in self._converted(name, value, "tool.poetry.dependencies")]
            for name, value in self._main.items()
            if canonicalize_name(name) != "python"
        }
        sources = {name: tuple(entry.source for entry in entries if entry.source) for name, entries in found.items()}
        return {name: of_name for name, of_name in sources.items() if of_name}

    def _extras(self) -> dict[str, set[str]]:
        """Return the normalized names that each extra has, by its normalized name."""
        extras = self._file.mapping(self._table, "extras", "tool.poetry.extras")
        return {
            canonicalize_name(extra): {
                canonicalize_name(name) for name in self._file.strings(extras, extra, f"tool.poetry.extras.{extra}")
            }
            for extra in extras
        }

    def _group_tables(self) -> dict[str, Mapping[str, Any]]:
        groups = self._file.mapping(self._table, "group", "tool.poetry.group")
        tables = {name: self._file.mapping(groups, name, f"tool.poetry.group.{name}") for name in groups}
        for name, table in tables.items():
            reject_misspelt(self._file, table, f"tool.poetry.group.{name}", declaring=GROUP_KEYS)
        if old := self._file.mapping(self._table, "dev-dependencies", "tool.poetry.dev-dependencies"):
            dev = self._file.mapping(tables.get("dev", {}), "dependencies", "tool.poetry.group.dev.dependencies")
            tables["dev"] = {**tables.get("dev", {}), "dependencies": {**old, **dev}}
        return tables

    def _of_group(
        self, name: str, groups: Mapping[str, Mapping[str, Any]], above: tuple[str, ...]
    ) -> Iterator[PoetryDependency]:
        """Yield the dependencies of the group *name*, and of those that it includes; *above* are what includes it."""
        if name in above or name not in groups:
            problem = "includes itself" if name in above else "does not exist"
            raise self._file.error(f"tool.poetry.group: the included group {name} {problem}", name)
        place = f"tool.poetry.group.{name}"
        for package, value in self._file.mapping(groups[name], "dependencies", f"{place}.dependencies").items():
            for found, _ in self._converted(package, value, f"{place}.dependencies"):
                yield found._replace(group=canonicalize_name((above or (name,))[0]))
        for other in self._file.strings(groups[name], "include-groups", f"{place}.include-groups"):
            yield from self._of_group(other, groups, (*above, name))

    def _converted(self, name: str, value: Any, place: str) -> Iterator[tuple[PoetryDependency, bool]]:
        """Yield each alternative of the dependency *name*, and whether it is optional."""
        for entry in value if isinstance(value, list) else [value]:
            table = {"version": entry} if isinstance(entry, str) else entry
            if not isinstance(table, dict):
                raise self._file.error(f"{place}.{name}: expected a table or a string, found {type_name(entry)}", name)
            if unknown := sorted(table.keys() - {*CONSTRAINT_KEYS, *SOURCE_KEYS, *OTHER_KEYS}):
                hint = f"known keys: {', '.join(sorted((*CONSTRAINT_KEYS, *SOURCE_KEYS, *OTHER_KEYS)))}"
                raise self._file.error(f"{place}.{name}: unknown key {unknown[0]}", name, hint=hint)
            source = self._source(name, table, place)
            constraint = {key: table[key] for key in CONSTRAINT_KEYS if key in table}
            if source is not None:
                constraint["version"] = "*"
            origin: Origin = self._file.origin(f"{name} =")
            yield PoetryDependency(name, constraint, origin, source), table.get("optional") is True

    def _source(self, name: str, table: Mapping[str, Any], place: str) -> PackageSource | None:
        text = {key: self._file.string(table, key, f"{place}.{name}.{key}") for key in SOURCE_KEYS if key != "develop"}
        if (index := text["source"]) is not None:
            self._bind(name, index, place)
        subdirectory = text["subdirectory"]
        if text["git"]:
            return PackageSource(url=git_url(text["git"], text["rev"] or text["tag"] or text["branch"], subdirectory))
        if text["url"]:
            return PackageSource(url=text["url"] + (f"#subdirectory={subdirectory}" if subdirectory else ""))
        if path := text["path"] or text["file"]:
            below = self._file.path.parent / path / (subdirectory or "")
            return local_source(below, editable=table.get("develop") is True)
        return None

    def _bind(self, name: str, index: str, place: str) -> None:
        """Let the dependency *name* come from the source *index* alone; Poetry knows the default one without a url."""
        is_default_index = index.lower() == DEFAULT_INDEX
        if is_default_index and not self._options:
            return
        if index not in self._urls:
            hint = 'give the other sources priority = "explicit"' if is_default_index else None
            raise self._file.error(f"{place}.{name}: there is no source {index} with a url", name, hint=hint)
        self._package_indexes[canonicalize_name(name)] = self._urls[index]

    def _indexes(self) -> tuple[list[str], dict[str, str]]:
        """Return the options for the indexes that every package may come from, and the URL of each index by name."""
        entries = self._table.get("source", [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise self._file.error("tool.poetry.source: expected a list of tables", "tool.poetry.source")
        primary, others, urls, has_default = [], [], {}, False
        for entry in entries:
            reject_misspelt(self._file, entry, "tool.poetry.source", declaring=INDEX_KEYS)
            name, url = (self._file.string(entry, key, f"tool.poetry.source.{key}") for key in ("name", "url"))
            is_default_index = (name or "").lower() == DEFAULT_INDEX
            if name is None or (url is None) is not is_default_index:
                raise self._file.error("tool.poetry.source: expected a name and a url", "tool.poetry.source")
            priority = entry.get("priority") or ("secondary" if entry.get("secondary") else "primary")
            if url is None:
                has_default |= priority in ("primary", "default")
                continue
            urls[name] = self._file.checked(partial(checked_url, url), "tool.poetry.source", url)
            if priority in ("primary", "default"):
                primary.append(url)
            elif priority != "explicit":
                others.append(url)
        if primary and not has_default:
            first, *others = primary + others
            return [index_option("--index-url", first, self._file.path), *map(self._extra, others)], urls
        return [*map(self._extra, (*primary, *others))], urls

    def _extra(self, url: str) -> str:
        return index_option("--extra-index-url", url, self._file.path)
