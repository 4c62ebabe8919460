"""The keys of `[tool.uv]` that isolate knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isolate.declarations.misspelt import reject_misspelt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isolate.declarations.toml_file import TomlFile

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

WORKSPACE_KEYS = ("members", "exclude")


def uv_table(file: TomlFile) -> Mapping[str, Any]:
    """Return `[tool.uv]` of *file*; raise `DeclarationError` for a key that seems to mean another one."""
    table = file.mapping(file.mapping(file.table, "tool"), "uv", "tool.uv")
    reject_misspelt(file, table, "tool.uv", declaring=(*HONOURED, *REFUSED), others=IGNORED)
    return table


def workspace_table(file: TomlFile) -> Mapping[str, Any]:
    """Return `[tool.uv.workspace]` of *file*, empty if there is none; raise `DeclarationError` as `uv_table` does."""
    table = file.mapping(uv_table(file), "workspace", "tool.uv.workspace")
    reject_misspelt(file, table, "tool.uv.workspace", declaring=WORKSPACE_KEYS)
    return table
