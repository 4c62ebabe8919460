"""What somebody wants of an interpreter: `3.12`, `>=3.11`, `pypy3.10`. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from isolate.errors import NoInterpreter

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.specifiers import SpecifierSet

    from isolate.interpreters.interpreter import Interpreter

VERSION = re.compile(
    r"(?P<name>python|cpython|pypy|graalpy|system)?[-@]?"
    r"(?P<version>\d+(\.\d+){0,2}((a|b|rc)\d+)?)?(?P<threaded>t)?(-[\w.]+)*"
)
"""As it is written on a command line, and by pyenv and uv into `.python-version`: `3.13t`, `cpython-3.12.1-linux`,
`pypy3.10-7.3.12`, `3.14-dev`, `system`."""

WHICHEVER = (None, "python", "system")


class PythonRequest(NamedTuple):
    """A `text` that says which interpreter is wanted; `source` is where it was said, `folder` where its paths begin."""

    text: str
    source: str
    folder: Path

    @property
    def is_version(self) -> bool:
        """Say whether it names a version or an implementation, not a range or a path."""
        return self._parts is not None

    @property
    def version(self) -> str | None:
        """Return the version, as exact as it was said: `3`, `3.12`, `3.12.1`; None if there is none."""
        return None if self._parts is None else self._parts["version"]

    @property
    def commands(self) -> tuple[str, ...]:
        """Return the names by which a shell would start such an interpreter, the most exact first."""
        parts = self._parts
        if parts is None:
            return ("python3",)
        stem = parts["name"] if parts["name"] in ("pypy", "graalpy") else "python"
        short = ".".join((parts["version"] or "").split(".")[:2])
        return tuple(dict.fromkeys((f"{stem}{short}{parts['threaded'] or ''}", f"{stem}3", stem)))

    def is_met_by(self, interpreter: Interpreter) -> bool:
        """Say whether *interpreter* is what is wanted; raise `NoInterpreter` if the text makes no sense."""
        parts = self._parts
        if parts is None:
            return self._range().contains(interpreter.version, prereleases=True)
        wanted = parts["version"] or ""
        return (
            (parts["name"] in WHICHEVER or parts["name"] == interpreter.implementation)
            and (not wanted or interpreter.version == wanted or interpreter.version.startswith(f"{wanted}."))
            and interpreter.free_threaded == bool(parts["threaded"])
        )

    @property
    def _parts(self) -> re.Match[str] | None:
        found = VERSION.fullmatch(self.text.lower())
        return found if found and (found["name"] or found["version"]) else None

    def _range(self) -> SpecifierSet:
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        try:
            if self.text:
                return SpecifierSet(self.text)
        except InvalidSpecifier:
            pass
        hint = "name a version (3.12), a range (>=3.11), or the path of a Python"
        raise NoInterpreter(f"{self.source} names no Python", hint=hint)
