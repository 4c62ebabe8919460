"""Where a package comes from if not from an index, as a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.markers import Marker

    from isolate.errors import DeclarationError


class PackageSource(NamedTuple):
    """Where a package comes from, under the `marker` alone if there is one.

    `url` is as pip takes it after `NAME @`. For a directory or a file on this machine, `path` is it, absolute. It
    counts only for requirements of `extra` or `group`, if one is given. `from_index`: the package comes from an index.
    `refused` is raised where a requirement would come from the source: one that nothing requires is no error.
    """

    url: str = ""
    path: Path | None = None
    editable: bool = False
    marker: Marker | None = None
    extra: str | None = None
    group: str | None = None
    from_index: bool = False
    refused: DeclarationError | None = None
