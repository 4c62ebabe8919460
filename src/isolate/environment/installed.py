"""The record of one distribution in an environment, a part of the record of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from isolate.file_owners import paths_of
from isolate.locked import with_source_id
from isolate.plan import TREE_PREFIX
from isolate.store.layout import is_key
from isolate.store.manifest import NAME, File, files_from_rows, is_relative_path

if TYPE_CHECKING:
    from collections.abc import Mapping

OLD_KEYS = {"written": "rewritten", "folders": "directories"}
"""What older records call the fields of a distribution."""


class Installed(NamedTuple):
    """A distribution in an environment.

    `key` names the entry that it was linked from. `rewritten` are its files that were written for this environment
    alone. `directories` are those in which a change must be noticed. `size` is that of all its files, in bytes.
    `manifest` is the digest of its manifest. `overridden` are its files that another distribution owns.
    """

    name: str
    version: str
    key: str
    source_id: str
    rewritten: tuple[File, ...] = ()
    directories: tuple[str, ...] = ()
    size: int = 0
    manifest: str = ""
    overridden: Mapping[str, tuple[str, ...]] = {}

    def to_dict(self) -> dict[str, Any]:
        """Return the record in a form that JSON can represent."""
        table = {**self._asdict(), "rewritten": [list(file) for file in self.rewritten]}
        if not self.overridden:
            del table["overridden"]
        return table


def installed_from(table: Mapping[str, Any]) -> Installed:
    """Return the distribution in *table*, whose keys may be those of an older record.

    Raises an exception of `records.UNREADABLE` for a name, key or path that could lead out of the store or the
    environment.
    """
    fields = {OLD_KEYS.get(key, key): value for key, value in with_source_id(table).items()}
    rewritten = files_from_rows(fields["rewritten"])
    overridden = {owner: tuple(paths) for owner, paths in fields.get("overridden", {}).items()}
    parsed = {"rewritten": rewritten, "directories": tuple(fields["directories"]), "overridden": overridden}
    dist = Installed(**{**fields, **parsed})
    if not (
        NAME.fullmatch(dist.name)
        and (is_key(dist.key) or dist.key.startswith(TREE_PREFIX))
        and all(map(is_relative_path, (*dist.directories, *paths_of(overridden))))
        and isinstance(dist.version, str)
        and isinstance(dist.source_id, str)
        and isinstance(dist.size, int)
        and isinstance(dist.manifest, str)
    ):
        raise ValueError(f"not a distribution: {table}")
    return dist


def metadata_files(installed: Installed) -> list[str]:
    """Return the files by which pip and `importlib.metadata` find a distribution, relative to the environment."""
    metadata = (path.rpartition("/") for path in installed.directories if path.endswith(".dist-info"))
    # A .dist-info directory below site-packages/<package> is that of a vendored distribution.
    own = [f"{parent}/{name}" for parent, _, name in metadata if parent.endswith("/site-packages")]
    return [f"{directory}/{name}" for directory in own for name in ("METADATA", "RECORD")]
