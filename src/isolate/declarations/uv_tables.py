"""`[tool.uv]`: more groups, limits, sources of packages and indexes.

https://docs.astral.sh/uv/reference/settings/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name, is_normalized_name

from isolate.declarations.misspelt import reject_misspelt
from isolate.declarations.sources import index_option
from isolate.declarations.toml_file import type_name
from isolate.declarations.tool_tables import ALL_GROUPS, ToolTables
from isolate.declarations.uv_keys import REFUSED, uv_table
from isolate.declarations.uv_sources import SourceReader
from isolate.declarations.uv_workspace import workspace_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from isolate.declarations.toml_file import TomlFile
    from isolate.errors import DeclarationError

INDEX_KEYS = (
    *("name", "url", "default", "explicit", "format"),
    *("authenticate", "cache-control", "exclude-newer", "ignore-error-codes", "publish-url"),
)


def read_uv_tables(file: TomlFile) -> ToolTables:
    """Return what `[tool.uv]` of *file* declares, and what the root of its workspace does for all members.

    Raises `DeclarationError` for what is not valid or not supported.
    """
    top = workspace_of(file)
    own = read_own_uv_tables(file)
    if top is None or top.path == file.path:
        return own
    shared = read_own_uv_tables(top)._replace(groups={}, default_groups=None, is_package=None)
    return shared.merged(own)._replace(contents={top.path: top.content})


def read_own_uv_tables(file: TomlFile) -> ToolTables:
    """Return what `[tool.uv]` of *file* declares, without a workspace."""
    table = uv_table(file)
    if not table:
        return ToolTables()
    reader = _Reader(file, table)
    dev = reader.strings("dev-dependencies")
    options, indexes = reader.indexes()
    sources, package_indexes = SourceReader(file, table).sources(indexes)
    return ToolTables(
        groups={"dev": dev} if dev else {},
        default_groups=reader.default_groups(),
        constraints=tuple(reader.strings("constraint-dependencies")),
        index_options=(*options, *reader.selection_options()),
        sources=sources,
        package_indexes=package_indexes,
        refused=tuple(reader.refused()),
        is_package=reader.flag("package"),
        no_build_isolation=tuple(map(canonicalize_name, reader.strings("no-build-isolation-package"))),
    )


class _Reader:
    def __init__(self, file: TomlFile, table: Mapping[str, Any]) -> None:
        self._file, self._table = file, table

    def strings(self, key: str) -> list[str]:
        return self._file.strings(self._table, key, f"tool.uv.{key}")

    def flag(self, key: str) -> bool | None:
        value = self._table.get(key)
        if value is not None and not isinstance(value, bool):
            raise self._file.error(f"tool.uv.{key}: expected a boolean, found {type_name(value)}", key)
        return value

    def default_groups(self) -> tuple[str, ...] | None:
        if self._table.get("default-groups") == ALL_GROUPS:
            return (ALL_GROUPS,)
        if "default-groups" not in self._table:
            return None
        return tuple(self.strings("default-groups"))

    def refused(self) -> Iterator[DeclarationError]:
        """Yield an error for each key that pip cannot follow."""
        for key in REFUSED:
            if self._table.get(key) and (key, self._table[key]) != ("resolution", "highest"):
                hint = "remove it, declare what it changes as a requirement, or provide a pylock.toml that follows it"
                yield self._file.error(f"tool.uv.{key} is not supported: pip has nothing like it", key, hint=hint)

    def selection_options(self) -> Iterator[str]:
        """Yield options for the choice of files."""
        for key, option in (("no-binary", "--no-binary"), ("no-build", "--only-binary")):
            if self.flag(key):
                yield f"{option} :all:"
            if names := self._file.strings(self._table, f"{key}-package", f"tool.uv.{key}-package"):
                for name in names:
                    if not is_normalized_name(canonicalize_name(name)):
                        raise self._file.error(f"tool.uv.{key}-package: `{name}` is not the name of a package", name)
                yield f"{option} {','.join(map(canonicalize_name, names))}"
        if self._table.get("prerelease") == "allow":
            yield "--pre"

    def indexes(self) -> tuple[list[str], dict[str, str]]:
        """Return the options for the indexes that every package may come from, and the URL of each index by name."""
        options, by_name, has_default = [], {}, False
        for entry in self._entries("index"):
            reject_misspelt(self._file, entry, "tool.uv.index", declaring=INDEX_KEYS)
            url, name = self._text(entry, "url", "index"), self._text(entry, "name", "index")
            if url is None:
                raise self._file.error("tool.uv.index: expected a url", "tool.uv.index")
            is_flat = entry.get("format") == "flat"
            if name is not None:
                by_name[name] = "" if is_flat else url
            if entry.get("explicit"):
                continue
            kind = "--find-links" if is_flat else "--index-url" if entry.get("default") else "--extra-index-url"
            has_default |= kind == "--index-url"
            options.append(self._option(kind, url))
        index_url = self._text(self._table, "index-url", "")
        if index_url is not None and not has_default:
            options.insert(0, self._option("--index-url", index_url))
        for key in ("extra-index-url", "find-links"):
            options += [self._option(f"--{key}", url) for url in self._file.strings(self._table, key, f"tool.uv.{key}")]
        return [*options, *(["--no-index"] if self.flag("no-index") else [])], by_name

    def _option(self, name: str, url: str) -> str:
        return self._file.checked(lambda: index_option(name, url, self._file.path), "tool.uv", url)

    def _entries(self, key: str) -> list[Mapping[str, Any]]:
        entries = self._table.get(key, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise self._file.error(f"tool.uv.{key}: expected a list of tables, found {type_name(entries)}", key)
        return entries

    def _text(self, table: Mapping[str, Any], key: str, where: str) -> str | None:
        return self._file.string(table, key, f"tool.uv.{where}.{key}".replace("..", "."))
