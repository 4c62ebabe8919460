"""`[tool.isolate]` as a value. Whoever only looks for applications needs it, and no parser of requirements."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`[tool.isolate]`. Paths and patterns are as written, relative to the application."""

    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    python: str | None = None
    link_mode: str | None = None
    applications: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
