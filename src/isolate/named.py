"""What the user named on the command line for one environment alone, and what its record remembers of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

TITLE = "named for this .venv"
"""How a line begins that says what was named."""


class Named(NamedTuple):
    """What was named for one environment; the default is nothing.

    `requirements` (-r) are the paths of files that are read instead of the requirements of the application,
    `constraints` (-c) those of files that are read besides its constraints: relative to its directory if they are below
    it, else absolute. `python` (--python) requests an interpreter; `declared_python` is what the application itself
    requested then. `project` is false with --no-install-project.
    """

    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    python: str | None = None
    declared_python: str | None = None
    project: bool = True

    @property
    def has_files(self) -> bool:
        """Return whether files were named, so that the lock of the application is not the lock of the environment."""
        return bool(self.requirements or self.constraints)

    @property
    def options(self) -> tuple[str, ...]:
        """Return the options that name this."""
        return (
            *(f"-r {path}" for path in self.requirements),
            *(f"-c {path}" for path in self.constraints),
            *([] if self.python is None else [f"--python {self.python}"]),
            *([] if self.project else ["--no-install-project"]),
        )

    @property
    def line(self) -> str | None:
        """Return a line that says what was named; None if nothing was."""
        return f"{TITLE}: {', '.join(self.options)}" if self.options else None

    def to_dict(self) -> dict[str, Any]:
        """Return what was named, and nothing of the rest, in a form that JSON can represent."""
        table = {key: value for key, value in self._asdict().items() if value != self._field_defaults[key]}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in table.items()}

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Named:
        """Return what `to_dict` represented; raise `ValueError` or `TypeError` if that did not make *table*."""
        fields: dict[str, Any] = {key: tuple(item) if isinstance(item, list) else item for key, item in table.items()}
        named = cls(**fields)
        files = (*named.requirements, *named.constraints)
        if not (
            isinstance(named.requirements, tuple)
            and isinstance(named.constraints, tuple)
            and all(isinstance(path, str) and "\0" not in path for path in files)
            and isinstance(named.python, str | None)
            and isinstance(named.declared_python, str | None)
            and isinstance(named.project, bool)
        ):
            raise ValueError(f"not what was named: {table}")
        return named
