"""What a lock holds for isolate alone: `created-by`, and a table `[packages.tool.isolate]` for each package. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.pylock import Package

TOOL = "isolate"
"""The value of `created-by`, and the name of the table."""


class ToolTable(NamedTuple):
    """The table of one package.

    `extras` are the extras of the package that the lock includes. `requires` are its dependencies as `Requires-Dist`
    lines; None if the lock's `dependencies` say the same. `tree` is a digest of the files that the metadata of a source
    tree comes from.
    """

    extras: frozenset[str] = frozenset()
    requires: tuple[str, ...] | None = None
    tree: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the table as TOML can hold it, without the keys that say nothing."""
        table: dict[str, Any] = {"extras": sorted(self.extras)} if self.extras else {}
        if self.requires is not None:
            table["requires"] = list(self.requires)
        if self.tree is not None:
            table["tree"] = self.tree
        return table


def tool_table(package: Package) -> ToolTable:
    """Return the table of *package*; an empty one if it has none, for example in a lock by another tool."""
    table: Mapping[str, Any] = (package.tool or {}).get(TOOL, {})
    requires = table.get("requires")
    return ToolTable(
        extras=frozenset(table.get("extras", ())),
        requires=None if requires is None else tuple(requires),
        tree=table.get("tree"),
    )


def dependency_names(package: Package) -> list[str]:
    """Return the names of the dependencies that *package* states, as its lock has them."""
    return [str(edge["name"]) for edge in package.dependencies or () if "name" in edge]


def recorded_requires(package: Package) -> tuple[str, ...]:
    """Return the dependencies of *package* as `Requires-Dist` lines.

    If the lock does not record for which extra it has a dependency, the package always has it.
    """
    requires = tool_table(package).requires
    return tuple(dependency_names(package)) if requires is None else requires
