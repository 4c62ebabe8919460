"""`[tool.pdm]`: groups for development, sources and limits.

https://pdm-project.org/latest/reference/pep621/
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from isolate.declarations.misspelt import reject_misspelt
from isolate.declarations.sources import checked_url, index_option
from isolate.declarations.toml_file import type_name
from isolate.declarations.tool_tables import ALL_GROUPS, ToolTables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from isolate.declarations.toml_file import TomlFile
    from isolate.errors import DeclarationError

DECLARING = ("dev-dependencies", "distribution", "overrides", "resolution", "source")
OTHERS = ("build", "scripts", "version", "options", "plugins", "publish", "ignore_package_warnings", "package-dir")
SOURCE_KEYS = ("name", "url", "type", "verify_ssl", "include_packages", "exclude_packages", "username", "password")
RESOLUTION_KEYS = ("allow-prereleases", "overrides", "excludes", "respect-source-order", "strategy")
LEGACY_KEYS = ("dependencies", "optional-dependencies")
"""Where PDM kept the dependencies themselves, before the standard for `[project]`."""

DEFAULT_INDEX = "pypi"
"""The name of the source that takes the place of the default index."""


def read_pdm_tables(file: TomlFile) -> ToolTables:
    """Return what `[tool.pdm]` of *file* declares; raise `DeclarationError` for what is not valid or not supported."""
    table = file.mapping(file.mapping(file.table, "tool"), "pdm", "tool.pdm")
    if not table:
        return ToolTables()
    if legacy := [key for key in LEGACY_KEYS if key in table]:
        raise file.error(f"tool.pdm.{legacy[0]} is not supported", legacy[0], hint="declare it in [project]")
    reject_misspelt(file, table, "tool.pdm", declaring=DECLARING, others=OTHERS)
    groups = file.mapping(table, "dev-dependencies", "tool.pdm.dev-dependencies")
    texts = {name: file.strings(groups, name, f"tool.pdm.dev-dependencies.{name}") for name in groups}
    options, package_indexes = _sources(file, table)
    resolution = file.mapping(table, "resolution", "tool.pdm.resolution")
    reject_misspelt(file, resolution, "tool.pdm.resolution", declaring=RESOLUTION_KEYS)
    distribution = table.get("distribution")
    return ToolTables(
        groups=texts,
        default_groups=(ALL_GROUPS,) if texts else None,
        index_options=(*options, *(["--pre"] if resolution.get("allow-prereleases") is True else [])),
        package_indexes=package_indexes,
        refused=tuple(_refused(file, table, resolution)),
        is_package=distribution if isinstance(distribution, bool) else None,
    )


def _refused(file: TomlFile, table: Mapping[str, Any], resolution: Mapping[str, Any]) -> Iterator[DeclarationError]:
    for where, key, value in (
        ("tool.pdm", "overrides", table.get("overrides")),
        *(("tool.pdm.resolution", key, resolution.get(key)) for key in ("overrides", "excludes")),
    ):
        if value:
            hint = "remove it, declare what it changes as a requirement, or provide a pylock.toml that follows it"
            yield file.error(f"{where}.{key} is not supported: pip has nothing like it", key, hint=hint)


def _sources(file: TomlFile, table: Mapping[str, Any]) -> tuple[list[str], dict[str, str]]:
    """Return the options for the indexes, and the URL of the one index of each package that a source names."""
    sources = table.get("source", [])
    if not isinstance(sources, list) or not all(isinstance(source, dict) for source in sources):
        raise file.error(f"tool.pdm.source: expected a list of tables, found {type_name(sources)}", "tool.pdm.source")
    options: list[str] = []
    package_indexes: dict[str, str] = {}
    for source in sources:
        reject_misspelt(file, source, "tool.pdm.source", declaring=SOURCE_KEYS)
        url = file.string(source, "url", "tool.pdm.source.url")
        if url is not None:
            file.checked(partial(checked_url, url), "tool.pdm.source", url)
        if url is None or source.get("exclude_packages"):
            problem = "tool.pdm.source: expected a url, and no exclude_packages, which pip has nothing like"
            raise file.error(problem, "exclude_packages")
        names = file.strings(source, "include_packages", "tool.pdm.source.include_packages")
        if any("*" in name for name in names):
            raise file.error("tool.pdm.source.include_packages: patterns are not supported", "include_packages")
        package_indexes |= {canonicalize_name(name): url for name in names}
        if not names:
            kind = "--find-links" if source.get("type") == "find_links" else "--extra-index-url"
            kind = "--index-url" if source.get("name") == DEFAULT_INDEX else kind
            options.append(index_option(kind, url, file.path))
    return options, package_indexes
