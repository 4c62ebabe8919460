"""`[tool.isolate]` as a value. The search for applications imports it without any parser of requirements."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

LINK_MODES = ("auto", "clone", "hardlink", "copy")
"""How files are installed from the store.

`auto` clones if the file system can, hard-links if it cannot, and copies if neither works.
"""


class Settings(NamedTuple):
    """`[tool.isolate]`. Paths and patterns are as written, relative to the application.

    `no_build_isolation` has the normalized names of packages, those of `[tool.uv]` included.
    """

    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    python: str | None = None
    link_mode: str | None = None
    applications: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    metadata_files: tuple[str, ...] = ()
    lenient_indexes: tuple[str, ...] = ()
    indexes: Mapping[str, str] = {}
    no_build_isolation: tuple[str, ...] = ()
