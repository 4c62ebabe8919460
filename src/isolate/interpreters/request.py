"""A request for an interpreter: `3.12`, `>=3.11`, `pypy3.10`, or a path. Pure."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from isolate.errors import NoInterpreter

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

    from isolate.interpreters.interpreter import Interpreter

VERSION = re.compile(
    r"(?P<name>python|cpython|pypy|graalpy|system)?[-@]?"
    r"(?P<version>\d{1,9}(\.\d{1,9}){0,2}((a|b|rc)\d{1,9})?)?(?(version)(\.[x*])?)(?P<threaded>t)?"
    r"(?(version)(-[\w.]+)*|(-[a-z]\w*(-[\w.]+)*)?)"
)
"""A version as it is written on a command line, and by pyenv and uv in `.python-version`: `3.13t`,
`cpython-3.12.1-linux`, `pypy3.10-7.3.12`, `3.14-dev`, `system`. Buildpacks of hosting services write any release of
3.13 as `3.13.x` or `3.13.*`."""

MAX_SHOWN = 200
"""Characters of a request that a message shows."""

ANY_IMPLEMENTATION = (None, "python", "system")
"""Names that do not say which implementation is requested."""


class PythonRequest(NamedTuple):
    """A `text` that requests an interpreter.

    `source` is where the request was made, for messages. A relative path in it starts at `directory`. `by_user`: it is
    not a file of the repository that makes the request.
    """

    text: str
    source: str
    directory: Path
    by_user: bool = False

    @classmethod
    def from_option(cls, text: str) -> PythonRequest:
        """Return the request of the option `--python`."""
        return cls(text=text.strip(), source=f"--python {text}", directory=Path(), by_user=True)

    @classmethod
    def from_setting(cls, text: str, file: Path) -> PythonRequest:
        """Return the request of the setting `python` in *file*."""
        return cls(text=text.strip(), source=f'python = "{_shown(text)}" in {file.name}', directory=file.parent)

    @classmethod
    def from_version_file(cls, text: str, file: Path) -> PythonRequest:
        """Return the request of the *file* `.python-version`, whose first line is *text*."""
        return cls(text=text, source=f"{file.name}: {_shown(text)}", directory=file.parent)

    @property
    def is_version(self) -> bool:
        """Return whether it requests a version or an implementation, and not a range or a path."""
        return self._parts is not None

    @property
    def version(self) -> str | None:
        """Return the version as exactly as it was written: `3`, `3.12`, `3.12.1`; None if there is none."""
        return None if self._parts is None else self._parts["version"]

    @property
    def installable(self) -> str | None:
        """Return the name by which version managers install such an interpreter: `3.12`, `3.13t`, `pypy3.10`."""
        parts = self._parts
        if parts is None or not parts["version"]:
            return None
        implementation = "" if parts["name"] in (*ANY_IMPLEMENTATION, "cpython") else parts["name"]
        return f"{implementation}{parts['version']}{parts['threaded'] or ''}"

    @property
    def commands(self) -> tuple[str, ...]:
        """Return the commands that start such an interpreter in a shell, the most specific first."""
        parts = self._parts
        if parts is None:
            return ("python3",)
        stem = parts["name"] if parts["name"] in ("pypy", "graalpy") else "python"
        minor_version = ".".join((parts["version"] or "").split(".")[:2])
        return tuple(dict.fromkeys((f"{stem}{minor_version}{parts['threaded'] or ''}", f"{stem}3", stem)))

    def is_met_by(self, interpreter: Interpreter) -> bool:
        """Return whether *interpreter* satisfies the request; raise `NoInterpreter` if the request is invalid."""
        parts = self._parts
        if parts is None:
            return self._range().contains(interpreter.version, prereleases=True)
        version = parts["version"] or ""
        return (
            (parts["name"] in ANY_IMPLEMENTATION or parts["name"] == interpreter.implementation)
            and (not version or interpreter.version == version or interpreter.version.startswith(f"{version}."))
            and interpreter.free_threaded == bool(parts["threaded"])
        )

    @property
    def _parts(self) -> re.Match[str] | None:
        match = VERSION.fullmatch(self.text.lower())
        return match if match and (match["name"] or match["version"]) else None

    def _range(self) -> SpecifierSet:
        from isolate.declarations.limits import parsed_specifier

        try:
            if self.text:
                return parsed_specifier(self.text)
        except ValueError:
            pass
        raise self.invalid()

    def invalid(self, *facts: str) -> NoInterpreter:
        """Return the error to raise if the text requests nothing that can be an interpreter."""
        hint = "use a version (3.12), a range (>=3.11), or the path of an interpreter"
        return NoInterpreter(f"invalid Python request: {self.source}", facts=facts, hint=hint)


def _shown(text: str) -> str:
    """Return *text* as a message shows it: its beginning alone if it is long."""
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
