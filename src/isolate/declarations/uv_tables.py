"""`[tool.uv]`: more groups, limits, sources of packages and indexes.

https://docs.astral.sh/uv/reference/settings/
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name, is_normalized_name

from isolate.declarations.misspelt import reject_misspelt
from isolate.declarations.package_source import PackageSource
from isolate.declarations.sources import checked_url, git_url, index_option, local_source
from isolate.declarations.toml_file import type_name
from isolate.declarations.tool_tables import ALL_GROUPS, ToolTables
from isolate.declarations.uv_workspace import workspace_members, workspace_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from isolate.declarations.toml_file import TomlFile
    from isolate.errors import DeclarationError

HONOURED = (
    "constraint-dependencies",
    "default-groups",
    "dev-dependencies",
    *("extra-index-url", "find-links", "index", "index-url"),
    *("no-binary", "no-binary-package", "no-build", "no-build-isolation-package", "no-build-package", "no-index"),
    "package",
    "prerelease",
    "sources",
    "workspace",
)
REFUSED = (
    "build-constraint-dependencies",
    "dependency-metadata",
    "exclude-dependencies",
    "exclude-newer",
    "exclude-newer-package",
    "extra-build-dependencies",
    "no-sources",
    "no-sources-package",
    "override-dependencies",
    "resolution",
)
"""Keys that change what is resolved, in a way that pip has no option for."""

IGNORED = (
    *("build-backend", "conflicts", "dependency-groups", "environments", "index-strategy", "managed", "pip"),
    "no-build-isolation",
)
"""Those of the other keys that could be taken for one that declares dependencies."""

SOURCE_KEYS = {
    "git": {"git", "rev", "tag", "branch", "subdirectory"},
    "url": {"url", "subdirectory"},
    "path": {"path", "editable"},
    "workspace": {"workspace", "editable"},
    "index": {"index"},
}
CONDITIONS = {"marker", "extra", "group"}
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
    table = file.mapping(file.mapping(file.table, "tool"), "uv", "tool.uv")
    if not table:
        return ToolTables()
    reject_misspelt(file, table, "tool.uv", declaring=(*HONOURED, *REFUSED), others=IGNORED)
    reader = _Reader(file, table)
    dev = reader.strings("dev-dependencies")
    options, indexes = reader.indexes()
    sources, package_indexes = reader.sources(indexes)
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

    def sources(self, indexes: Mapping[str, str]) -> tuple[dict[str, tuple[PackageSource, ...]], dict[str, str]]:
        """Return the sources of each package by name, and the URL of the one index that it may come from."""
        sources: dict[str, tuple[PackageSource, ...]] = {}
        package_indexes: dict[str, str] = {}
        for name, value in self._file.mapping(self._table, "sources", "tool.uv.sources").items():
            entries = value if isinstance(value, list) else [value]
            found = tuple(self._source(name, entry) for entry in entries)
            sources[canonicalize_name(name)] = found
            for entry, source in zip(entries, found, strict=True):
                if source.from_index:
                    url = indexes.get(entry["index"])
                    if not url or len(entries) > 1:
                        raise self._unsupported(name, f"index {entry['index']}", "name one index of [[tool.uv.index]]")
                    package_indexes[canonicalize_name(name)] = self._file.checked(
                        partial(checked_url, url), "tool.uv.index", name
                    )
        return sources, package_indexes

    def _source(self, name: str, entry: Any) -> PackageSource:
        if not isinstance(entry, dict):
            raise self._file.error(f"tool.uv.sources.{name}: expected a table, found {type_name(entry)}", name)
        kinds = [kind for kind in SOURCE_KEYS if entry.get(kind)]
        unknown = sorted(entry.keys() - CONDITIONS - SOURCE_KEYS[kinds[0]]) if len(kinds) == 1 else sorted(entry)
        if unknown:
            raise self._unsupported(name, ", ".join(unknown), f"expected one of {', '.join(SOURCE_KEYS)}")
        source = self._of_kind(kinds[0], name, entry)
        extra, group = (self._text(entry, key, f"sources.{name}") for key in ("extra", "group"))
        return source._replace(
            marker=self._marker(name, entry),
            extra=None if extra is None else canonicalize_name(extra),
            group=None if group is None else canonicalize_name(group),
        )

    def _of_kind(self, kind: str, name: str, entry: Mapping[str, Any]) -> PackageSource:
        text = {key: self._text(entry, key, f"sources.{name}") for key in ("rev", "tag", "branch", "subdirectory")}
        root = self._file.path.parent
        if kind == "workspace":
            return self._member(name)
        value = self._text(entry, kind, f"sources.{name}") or ""
        if kind == "git":
            revision = text["rev"] or text["tag"] or text["branch"]
            return PackageSource(url=git_url(value, revision, text["subdirectory"]))
        if kind == "url":
            subdirectory = f"#subdirectory={text['subdirectory']}" if text["subdirectory"] else ""
            return PackageSource(url=value + subdirectory)
        if kind == "path":
            return local_source(root / value, editable=bool(entry.get("editable")))
        return PackageSource(from_index=True)

    def _member(self, name: str) -> PackageSource:
        members = workspace_members(self._file.path.parent)
        if canonicalize_name(name) not in members:
            hint = "list its directory as a member of [tool.uv.workspace], or give its path"
            raise self._unsupported(name, "workspace = true", hint, "no workspace here or above has this member")
        return local_source(members[canonicalize_name(name)], editable=True)

    def _marker(self, name: str, entry: Mapping[str, Any]) -> Any:
        from packaging.markers import InvalidMarker, Marker

        text = self._text(entry, "marker", f"sources.{name}")
        try:
            return None if text is None else Marker(text)
        except (InvalidMarker, RecursionError):
            raise self._unsupported(
                name, f"marker {text}", "write a valid marker", "it is not a valid marker"
            ) from None

    def _unsupported(self, name: str, what: str, hint: str, why: str = "") -> DeclarationError:
        problem = f"tool.uv.sources.{name}: {what} is not supported" if not why else f"tool.uv.sources.{name}: {why}"
        return self._file.error(problem, name, hint=hint)
