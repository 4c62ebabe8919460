"""`[tool.isolate]` as a value. Whoever only looks for applications needs it, and no parser of requirements."""

from __future__ import annotations

from typing import NamedTuple

LINK_MODES = ("auto", "clone", "hardlink", "copy")
"""How files can leave the store: `auto` clones where the file system can, links where it cannot, else copies."""


class Settings(NamedTuple):
    """`[tool.isolate]`. Paths and patterns are as written, relative to the application."""

    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    python: str | None = None
    link_mode: str | None = None
    applications: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
