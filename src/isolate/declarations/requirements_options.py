"""The options of a requirements file, as pip parses them."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from isolate.declarations.limits import shortened
from isolate.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from isolate.declarations.declared import Origin

INCLUDE_OPTIONS = ("--requirement", "--constraint")
SHORT_OPTIONS = {"-c": "--constraint", "-f": "--find-links", "-i": "--index-url", "-r": "--requirement"}
LONG_OPTIONS = (
    *INCLUDE_OPTIONS,
    "--index-url",
    "--extra-index-url",
    "--find-links",
    "--no-binary",
    "--only-binary",
    "--trusted-host",
    "--use-feature",
    "--all-releases",
    "--only-final",
)
OPTIONS_WITH_VALUE = {**SHORT_OPTIONS, "--pypi-url": "--index-url", **{name: name for name in LONG_OPTIONS}}
FLAGS = frozenset({"--no-index", "--prefer-binary", "--require-hashes", "--no-require-hashes", "--pre"})


def parse_options(expanded: str, text: str, origin: Origin) -> Iterator[tuple[str, str]]:
    """Yield the options on a line by their long names, each with its value; the value of a flag is empty.

    They are written as on a command line: `--name value`, `--name=value`, `-n value`, `-nvalue`.

    Args:
        expanded: The line with its environment variables expanded.
        text: The line as written, for messages.
        origin: The place of the line.

    Raises:
        DeclarationError: pip would not accept the line.
    """

    def invalid(problem: str) -> DeclarationError:
        shown = f"`{shortened(text)}`: {problem}"
        return DeclarationError(shown, hint="correct the line", file=origin.file, line=origin.line)

    try:
        words = shlex.split(expanded)
    except ValueError:
        raise invalid("unbalanced quotes") from None
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=") if word.startswith("--") else (word[:2], word[2:], word[2:])
        if name in FLAGS and not equals:
            yield name, ""
            continue
        if name not in OPTIONS_WITH_VALUE:
            raise invalid("expected a requirement, or an option that pip accepts in a requirements file")
        if not equals and words:
            value = words.pop(0)
        if not value:
            raise invalid(f"expected a value after {name}")
        yield OPTIONS_WITH_VALUE[name], value


def relocated(name: str, value: str, file: Path, root: Path) -> str:
    """Return an option of *file* as a line for a requirements file elsewhere: an existing path becomes absolute.

    pip looks for links beside *file* first, then, as for indexes, in *root*, the directory that it runs in.
    """
    bases = {"--find-links": (file.parent, root), "--index-url": (root,), "--extra-index-url": (root,)}
    for base in bases.get(name, ()):
        path = os.path.normpath(base / value)
        if os.path.exists(path):
            return f"{name} {shlex.quote(path)}"
    return f"{name} {shlex.quote(value)}" if value else name
