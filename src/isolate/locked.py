"""One locked distribution, and the selection of extras and groups that an environment has. No file format in here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


DEFAULT_GROUP = "dev"
"""The group that is installed unless the user excludes it, as in other tools."""


class Selection(NamedTuple):
    """The part of an application's declarations that an environment has. Names are normalized (PEP 685, PEP 735).

    `project` tells whether the application itself is installed. `no_dev` records that the user excluded the default
    group, even if there is none. Unless `editable`, source trees are installed as copies, the application too.
    """

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    project: bool = True
    no_dev: bool = False
    editable: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return the selection in a form that JSON can represent."""
        table = {**self._asdict(), "extras": list(self.extras), "groups": list(self.groups)}
        if self.editable:  # as earlier versions wrote it
            del table["editable"]
        return table

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Selection:
        """Return the selection that `to_dict` made. The first records lack `no_dev`."""
        extras, groups, project = tuple(table["extras"]), tuple(table["groups"]), table["project"]
        return cls(extras, groups, project, table.get("no_dev", False), table.get("editable", True))


def with_source_id(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return *table*, a record of one distribution, with the key `source_id`, which older records call `identity`."""
    return {"source_id" if key == "identity" else key: value for key, value in table.items()}


class LockedDistribution(NamedTuple):
    """A distribution that an environment must have, from exactly one artifact.

    `version` is None if a source tree decides it. `source_id` identifies the artifact: `sha256:…`, a commit, or a
    directory. `table` is the distribution's table in a `pylock.toml` with only this artifact, and with absolute paths.
    """

    name: str
    version: str | None
    source_id: str
    table: Mapping[str, Any]

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> LockedDistribution:
        """Return the distribution in *table*, a record whose keys are the names of the fields, or the former ones."""
        return cls(**with_source_id(table))

    @property
    def directory(self) -> str | None:
        """Return the absolute path of the source tree; None if the distribution does not come from one."""
        directory: Mapping[str, Any] | None = self.table.get("directory")
        return None if directory is None else str(directory["path"])

    @property
    def editable(self) -> bool:
        """Return whether the source tree itself is imported."""
        return bool(self.table.get("directory", {}).get("editable"))

    @property
    def as_copy(self) -> LockedDistribution:
        """Return this distribution, not editable."""
        if not self.editable:
            return self
        directory = {key: value for key, value in self.table["directory"].items() if key != "editable"}
        table = {**self.table, "directory": directory}
        return self._replace(source_id=self.source_id.removesuffix(":editable"), table=table)

    @property
    def artifact(self) -> Mapping[str, Any] | None:
        """Return the part of the table about its one file; None if it comes from a repository or a source tree."""
        wheels = self.table.get("wheels")
        candidates = wheels if isinstance(wheels, list) else [self.table.get("sdist", self.table.get("archive"))]
        return next((artifact for artifact in candidates if isinstance(artifact, dict)), None)

    @property
    def is_built(self) -> bool:
        """Return whether pip builds it: it does not come from a wheel. pip goes by the end of the file's name."""
        artifact = self.artifact
        location = "" if artifact is None else str(artifact.get("path") or artifact.get("url"))
        return not location.partition("#")[0].partition("?")[0].rstrip("/").endswith(".whl")

    @property
    def is_direct(self) -> bool:
        """Return whether it was requested by URL or path, so that it needs a `direct_url.json` (PEP 610)."""
        return not ("wheels" in self.table or "sdist" in self.table)


def needs(name: str, locked: Mapping[str, LockedDistribution]) -> set[str]:
    """Return the names of what the distribution *name* depends on, as *locked* (by name) says, without itself."""
    found, todo = {name}, [name]
    while todo:
        for dependency in locked[todo.pop()].table.get("dependencies", ()):
            other = str(dependency.get("name", ""))
            if other in locked and other not in found:
                found.add(other)
                todo.append(other)
    return found - {name}
