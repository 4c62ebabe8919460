"""Requirements files, by the rules of pip: files, what they include, their logical lines, and options.

https://pip.pypa.io/en/stable/reference/requirements-file-format/

pip itself is handed the same files; what is read here serves display, freshness and conflicts.
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from isolate.declarations.declared import DeclaredRequirement, Origin
from isolate.declarations.requirement_line import EDITABLE, parse_requirement
from isolate.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COMMENT = re.compile(r"(^|\s+)#.*$")
CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
INCLUDES = ("--requirement", "--constraint")
SHORT = {"-c": "--constraint", "-f": "--find-links", "-i": "--index-url", "-r": "--requirement"}
WITH_VALUE = {
    **SHORT,
    "--pypi-url": "--index-url",
    **{
        name: name
        for name in (
            *INCLUDES,
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
    },
}
FLAGS = frozenset({"--no-index", "--prefer-binary", "--require-hashes", "--no-require-hashes", "--pre"})


@dataclass
class Found:
    """What some files say, in order, and what was in each.

    `root` is where pip is run, and so where the paths of requirements are meant from, whichever file they stand in.
    `read`: which files were read, and whether as constraints.
    """

    root: Path
    contents: dict[Path, bytes] = field(default_factory=dict)
    read: set[tuple[Path, bool]] = field(default_factory=set)
    requirements: list[DeclaredRequirement] = field(default_factory=list)
    constraints: list[DeclaredRequirement] = field(default_factory=list)
    index_options: list[str] = field(default_factory=list)


class Line(NamedTuple):
    """A logical line: `number` is that of its first physical one, from 1."""

    number: int
    text: str


def read_requirements(path: Path, *, environ: Mapping[str, str], found: Found, constraint: bool = False) -> None:
    """Add to *found* what the requirements file *path* and the files that it includes say.

    Raises `DeclarationError` for whatever pip would not accept, with the file and the line.
    """
    _read(path, (), environ, found, constraint=constraint)


def _read(path: Path, above: tuple[Origin, ...], environ: Mapping[str, str], found: Found, *, constraint: bool) -> None:
    if (path, constraint) in found.read:
        return
    found.read.add((path, constraint))
    content = found.contents[path] = found.contents.get(path) or _content_of(path, above)
    for line in logical_lines(_text_of(path, content)):
        origin = Origin(file=path, line=line.number)
        if "\0" in line.text:
            problem = f"{line.text!r}: expected text, found a NUL in it"
            raise DeclarationError(problem, hint="correct the line", file=path, line=line.number)
        expanded = VARIABLE.sub(lambda name: environ.get(name[1]) or name[0], line.text)  # empty is unset
        if not expanded.startswith("-") or expanded.startswith(EDITABLE):
            declared = parse_requirement(line.text, expanded, origin, found.root)
            (found.constraints if constraint else found.requirements).append(declared)
            continue
        options = list(_options(expanded, line.text, origin))
        includes = sorted((one for one in options if one[0] in INCLUDES), key=lambda one: one[0] != "--requirement")
        for name, value in includes[:1]:  # pip follows one of a line, and passes over whatever else is there
            limits = name == "--constraint"  # by the last word alone: `-r` below `-c` brings requirements
            _include(value, (*above, origin), environ, found, constraint=limits)
        if not includes:
            found.index_options += [_said(name, value, path, found.root) for name, value in options]


def _said(name: str, value: str, file: Path, root: Path) -> str:
    """Return an option as a line for a requirements file elsewhere: what is a path from here becomes an absolute one.

    pip takes links from *file* if there is such a path, and else, as indexes, from *root*, which it is run in.
    """
    folders = {"--find-links": (file.parent, root), "--index-url": (root,), "--extra-index-url": (root,)}
    for folder in folders.get(name, ()):
        path = os.path.normpath(folder / value)
        if os.path.exists(path):
            return f"{name} {shlex.quote(path)}"
    return f"{name} {shlex.quote(value)}" if value else name


def _include(
    name: str, above: tuple[Origin, ...], environ: Mapping[str, str], found: Found, *, constraint: bool
) -> None:
    here = above[-1]
    if re.match(r"[a-z]+://", name) and not name.startswith("file:"):
        raise DeclarationError(
            f"{name} is an address, and includes from elsewhere are not read",
            hint="keep a copy in the tree and include that",
            file=here.file,
            line=here.line,
        )
    path = Path(os.path.normpath(here.file.parent / name.removeprefix("file://")))
    circle = [origin.file for origin in above]
    if path in circle:
        route = " → ".join(str(one) for one in (*above[circle.index(path) :], path.name))
        raise DeclarationError(
            f"{path.name} includes itself: {route}", hint="take one of the includes out", file=here.file, line=here.line
        )
    _read(path, above, environ, found, constraint=constraint)


def _options(expanded: str, text: str, origin: Origin) -> Iterator[tuple[str, str]]:
    """Yield the options on a line by their full names, each with its value or nothing; *text* is the line as it stands.

    They are as a command line has them: `--name value`, `--name=value`, `-n value`, `-nvalue`.
    """

    def wrong(expected: str) -> DeclarationError:
        problem = f"`{text}`: expected {expected}"
        return DeclarationError(problem, hint="correct the line", file=origin.file, line=origin.line)

    try:
        words = shlex.split(expanded)
    except ValueError:
        raise wrong("a quotation that ends") from None
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=") if word.startswith("--") else (word[:2], word[2:], word[2:])
        if name in FLAGS and not equals:
            yield name, ""
            continue
        if name not in WITH_VALUE:
            raise wrong("a requirement, or an option that pip takes in such a file")
        if not equals and words:
            value = words.pop(0)
        if not value:
            raise wrong(f"a value after {name}")
        yield WITH_VALUE[name], value


def _content_of(path: Path, above: tuple[Origin, ...]) -> bytes:
    here = above[-1] if above else Origin(file=path)
    what = f"the included {path}" if above else "it"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DeclarationError(
            f"{what} does not exist", hint="correct the name, or make it", file=here.file, line=here.line
        ) from None
    except OSError as error:
        raise DeclarationError(f"{what} cannot be read: {error.strerror}", file=here.file, line=here.line) from None
    if path.name.startswith("pylock.") and path.suffix == ".toml":
        raise DeclarationError(
            f"{what} is a lock, no requirements file", hint="name it pylock.toml", file=here.file, line=here.line
        )
    return content


def _text_of(path: Path, content: bytes) -> str:
    try:
        return decoded(content)
    except (UnicodeDecodeError, LookupError) as error:
        raise DeclarationError(f"is not text: {error}", hint="save it as UTF-8", file=path) from None


def decoded(content: bytes) -> str:
    """Return the text of a requirements file: UTF-8, unless a mark or one of the first two lines says otherwise."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return content.decode(encoding)
    for line in content.split(b"\n", 2)[:2]:
        if match := CODING.match(line):
            return content.decode(match[1].decode("ascii"))
    return content.decode("utf-8")


def logical_lines(text: str) -> Iterator[Line]:
    """Yield the lines that say something: joined where a backslash ends them, without comments and blanks."""
    parts: list[str] = []
    first = 1
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        is_comment = re.match(r"\s*#", line) is not None
        if not parts:
            first = number
        if line.endswith("\\") and not is_comment:
            parts.append(line[:-1])
            continue
        joined = COMMENT.sub("", "".join([*parts, " " + line if is_comment and parts else line])).strip()
        parts = []
        if joined:
            yield Line(first, joined)
