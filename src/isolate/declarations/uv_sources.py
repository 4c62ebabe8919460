"""`[tool.uv.sources]`: where packages come from.

https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from isolate.declarations.package_source import PackageSource
from isolate.declarations.sources import checked_url, git_url, local_source
from isolate.declarations.toml_file import type_name
from isolate.declarations.uv_workspace import workspace_members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.declarations.toml_file import TomlFile
    from isolate.errors import DeclarationError

SOURCE_KEYS = {
    "git": {"git", "rev", "tag", "branch", "subdirectory"},
    "url": {"url", "subdirectory"},
    "path": {"path", "editable"},
    "workspace": {"workspace", "editable"},
    "index": {"index"},
}
CONDITIONS = {"marker", "extra", "group"}


class SourceReader:
    """Reads the sources in *table*, the `[tool.uv]` of *file*."""

    def __init__(self, file: TomlFile, table: Mapping[str, Any]) -> None:
        self._file, self._table = file, table

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
        if unknown or not kinds:
            raise self._unsupported(
                name, ", ".join(unknown) or "an empty table", f"expected one of {', '.join(SOURCE_KEYS)}"
            )
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
            why = "no workspace here or above has this member"
            return PackageSource(refused=self._unsupported(name, "workspace = true", hint, why))
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

    def _text(self, table: Mapping[str, Any], key: str, where: str) -> str | None:
        return self._file.string(table, key, f"tool.uv.{where}.{key}")
