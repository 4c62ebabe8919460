"""One locked distribution, and the selection of extras and groups that it belongs to. No file format in here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


DEFAULT_GROUP = "dev"
"""The group that an environment holds unless it is told not to, as the ecosystem has it."""


class Selection(NamedTuple):
    """Which part of an application's declarations an environment holds. Names are normalized (PEP 685, PEP 735).

    `no_dev` says that the default group was not wanted, whether or not there was one.
    """

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    project: bool = True
    no_dev: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the selection as JSON can hold it."""
        return {**self._asdict(), "extras": list(self.extras), "groups": list(self.groups)}

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Selection:
        """Return the selection that `to_dict` made; `no_dev` came later, and older records lack it."""
        return cls(tuple(table["extras"]), tuple(table["groups"]), table["project"], table.get("no_dev", False))


def with_source_id(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return *table*, a record of one distribution, with the key `source_id`, which older records call `identity`."""
    return {"source_id" if key == "identity" else key: value for key, value in table.items()}


class LockedDistribution(NamedTuple):
    """A distribution that is to be in an environment, from exactly one artifact.

    `version` is None where a source tree decides it. `source_id` names the artifact: `sha256:…`, a commit, or a
    directory. `table` is the distribution's table of a `pylock.toml` with this one artifact in it, paths absolute.
    """

    name: str
    version: str | None
    source_id: str
    table: Mapping[str, Any]

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> LockedDistribution:
        """Return the distribution that *table* holds by the names of its fields, those of older records too."""
        return cls(**with_source_id(table))

    @property
    def directory(self) -> str | None:
        """Return the absolute path of the source tree that this is installed from, if it is."""
        directory: Mapping[str, Any] | None = self.table.get("directory")
        return None if directory is None else str(directory["path"])

    @property
    def editable(self) -> bool:
        """Say whether the source tree itself is to be imported."""
        return bool(self.table.get("directory", {}).get("editable"))

    @property
    def is_direct(self) -> bool:
        """Say whether it was asked for by its address (PEP 610 then wants a `direct_url.json`)."""
        return not ("wheels" in self.table or "sdist" in self.table)
