"""Which Python an application was made for, by files that are not written for isolate.

They are hints: any request counts before them, and a hint that no Python of this machine meets is ignored.

- pip-compile and `uv pip compile` write the version that they resolved for into the header of their output.
- `runtime.txt` names the version of an application on Heroku or Cloud Foundry: `python-3.11.4`, `python-3.11.x`.
- `.tool-versions` has one line per tool of asdf or mise, with versions in order of preference: `python 3.11.4 3.10.13`.
- In a `Dockerfile`, the last `FROM` with a Python image counts, because that stage is the one that runs.

`re` compiles each pattern when a file with such a hint is there; few applications have more than one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from isolate.bounded_read import read_bounded
from isolate.interpreters.request import PythonRequest
from isolate.interpreters.version_file import version_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

NUMBER = r"3\.\d{1,3}(?:\.\d{1,3})?"
"""A version that says more than `3`."""

COMPILED = (
    rf"(?im)^#.*(?:\bpip-compile with python |\buv pip compile\b.* (?:--python(?:-version)?|-p)[ =])({NUMBER})(?![\w.])"
)
RUNTIME = rf"(?m)^[ \t]*(?:python-)?({NUMBER})(?:\.[x*])?[ \t\r]*$"
TOOL = rf"(?m)^[ \t]*python[ \t]+(?:.*[ \t])??({NUMBER})(?![\w.])"
FROM = r"(?im)^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(\S{1,500})"
ARGUMENT = r"(?im)^[ \t]*ARG[ \t]+(\w+)=[\"']?([\w.-]{1,100})"
VARIABLE = r"\$(?:\{(\w+)(?::-([\w.-]*))?\}|(\w+))"
IMAGE = rf"(?:^|/)python:({NUMBER})(?![\d.])|:(?:[^:]*-)?python({NUMBER})(?![\d.])"
"""Images that have a version of Python in their tag: `python:3.11-slim`, `astral-sh/uv:python3.12-bookworm`."""

MAX_HEADER = 4096
"""How many bytes at the beginning of a requirements file are searched for a header."""

MAX_BYTES = 64 << 10
"""The largest size of the other files; a larger one has no hint."""


class PythonHint(NamedTuple):
    """The `version` of Python that the text `source`, of a file of the application in `directory`, was written for."""

    version: str
    source: str
    directory: Path

    @property
    def requests(self) -> tuple[PythonRequest, ...]:
        """Return what meets the hint, the best first: that version, or another one that runs the same packages."""
        versions = dict.fromkeys((self.version, ".".join(self.version.split(".")[:2])))
        return tuple(PythonRequest(version, self.source, self.directory) for version in versions)


def python_hints(root: Path, contents: Mapping[Path, bytes]) -> Iterator[PythonHint]:
    """Yield the hints for the application in *root*, whose declarations have *contents*; the strongest first."""
    for path, content in contents.items():
        yield from _hint(root, path, _compiled_for, content[:MAX_HEADER])
    yield from _hint(root, root / "runtime.txt", _first(RUNTIME))
    for path in version_files(root, ".tool-versions"):
        yield from _hint(root, path, _first(TOOL))
    for name in ("Dockerfile", "Containerfile"):
        yield from _hint(root, root / name, image_version)


def _hint(
    root: Path, path: Path, version_in: Callable[[str], str | None], content: bytes | None = None
) -> Iterable[PythonHint]:
    """Return the hint of the file *path*, if any; a file that cannot be read has none."""
    try:
        text = (read_bounded(path, MAX_BYTES) if content is None else content).decode(errors="replace")
    except OSError:
        return ()
    version = version_in(text)
    return () if version is None else (PythonHint(version, f"Python {version} in {path.name}", root),)


def _first(pattern: str) -> Callable[[str], str | None]:
    def version_in(text: str) -> str | None:
        match = re.search(pattern, text)
        return match[1] if match else None

    return version_in


def _compiled_for(text: str) -> str | None:
    """Return the version in the comments that a requirements file begins with."""
    lines = text.splitlines()
    comments = next((lines[:at] for at, line in enumerate(lines) if line.strip() and line[0] != "#"), lines)
    return _first(COMPILED)("\n".join(comments))


def image_version(text: str) -> str | None:
    """Return the version of Python in the last Python image that the Dockerfile *text* builds on."""
    defaults = {match[1]: match[2] for match in re.finditer(ARGUMENT, text)}

    def value(variable: re.Match[str]) -> str:
        return defaults.get(variable[1] or variable[3]) or variable[2] or ""

    images = (re.sub(VARIABLE, value, match[1]) for match in re.finditer(FROM, text))
    versions = [match[1] or match[2] for image in images if (match := re.search(IMAGE, image))]
    return versions[-1] if versions else None
