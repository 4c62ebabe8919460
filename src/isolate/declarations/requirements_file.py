"""Requirements files, read as pip reads them: with the files that they include, and with index options.

pip gets what this module reads, as one file that isolate wrote, and none of the files themselves. So the two cannot
understand one differently.
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from isolate.bounded_read import read_bounded
from isolate.declarations.declared import DeclaredRequirement, Origin
from isolate.declarations.limits import MAX_DEPTH, MAX_LINE, MAX_REQUIREMENTS
from isolate.declarations.requirement_line import EDITABLE_OPTIONS, parse_requirement
from isolate.declarations.requirements_options import INCLUDE_OPTIONS, parse_options, relocated
from isolate.declarations.requirements_text import VARIABLE, LogicalLine, decode, logical_lines
from isolate.errors import DeclarationError
from isolate.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class RequirementsFileContents:
    """What some requirements files declare, in order.

    `root` is the directory that pip runs in. Paths in requirements are relative to it, in included files too. `files`
    has the bytes of each file; `visited` has the files that were read, and whether as constraints. `index_options` are
    lines in which variables stay as written; `expanded_index_options` has the same lines with their values.
    """

    root: Path
    files: dict[Path, bytes] = field(default_factory=dict)
    visited: set[tuple[Path, bool]] = field(default_factory=set)
    requirements: list[DeclaredRequirement] = field(default_factory=list)
    constraints: list[DeclaredRequirement] = field(default_factory=list)
    index_options: list[str] = field(default_factory=list)
    expanded_index_options: list[str] = field(default_factory=list)


def read_requirements(
    path: Path, contents: RequirementsFileContents, environ: Mapping[str, str], *, constraint: bool = False
) -> None:
    """Add to *contents* what the requirements file *path* and the files that it includes declare.

    With *constraint*, its requirements are constraints. Variables are expanded from *environ*.

    Raises:
        DeclarationError: pip would not accept the file, or isolate does not support one of its lines.
    """
    _Reader(contents, environ).read(path, (), constraint=constraint)


class _Reader:
    def __init__(self, contents: RequirementsFileContents, environ: Mapping[str, str]) -> None:
        self._contents = contents
        self._environ = environ
        self._lines = 0

    def read(self, path: Path, includes: tuple[Origin, ...], *, constraint: bool) -> None:
        """Read *path*. *includes* are the lines that led to it, the last one in the file that includes it."""
        contents = self._contents
        if (path, constraint) in contents.visited:
            return
        contents.visited.add((path, constraint))
        content = contents.files[path] = contents.files.get(path) or _read_bytes(path, includes)
        for line in logical_lines(_decode(path, content)):
            try:
                self._read_line(line, path, includes, constraint=constraint)
            except DeclarationError as error:
                if error.file != path or _is_in_repository(path, contents.root):
                    raise
                # The repository can name any file that the user can read, and logs are read by others.
                problem = "the line is not a requirement; it is not shown, because the file is not in the repository"
                raise DeclarationError(problem, hint="look at that line", file=path, line=line.number) from None

    def _read_line(self, line: LogicalLine, path: Path, includes: tuple[Origin, ...], *, constraint: bool) -> None:
        contents, origin = self._contents, Origin(file=path, line=line.number)
        self._lines += 1
        if self._lines > MAX_REQUIREMENTS:
            problem = f"there are more than {MAX_REQUIREMENTS} requirements and options"
            raise DeclarationError(problem, hint="declare fewer", file=path, line=line.number)
        if "\0" in line.text:
            problem = f"{line.text!r} contains a NUL character"
            raise DeclarationError(problem, hint="correct the line", file=path, line=line.number)
        # As in pip, a variable that is empty counts as one that is not set.
        expanded = VARIABLE.sub(lambda match: self._environ.get(match[1]) or match[0], line.text)
        if not expanded.startswith("-") or expanded.startswith(EDITABLE_OPTIONS):
            declared = parse_requirement(line.text, expanded, origin, contents.root)
            (contents.constraints if constraint else contents.requirements).append(declared)
            return
        if len(expanded) > MAX_LINE:
            problem = f"the line has more than {MAX_LINE} characters"
            raise DeclarationError(problem, hint="write it as several lines", file=path, line=line.number)
        options = list(parse_options(expanded, line.text, origin))
        included = [option for option in options if option[0] in INCLUDE_OPTIONS]
        if not included:
            expanded_lines = [relocated(name, value, path, contents.root) for name, value in options]
            contents.expanded_index_options += expanded_lines
            contents.index_options += _with_variables(line.text, options, expanded_lines)
            return
        # pip follows one include on a line, `-r` before `-c`, and ignores the other options there. The innermost option
        # decides what the file means: below `-c`, `-r` still adds requirements.
        name, value = min(included, key=lambda option: option[0] != "--requirement")
        self._include(value, (*includes, origin), constraint=name == "--constraint")

    def _include(self, name: str, includes: tuple[Origin, ...], *, constraint: bool) -> None:
        includer = includes[-1]
        scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", name)
        if scheme and scheme[1].lower() != "file":
            url, copy, option = redact(name), copy_name(name), "-c" if constraint else "-r"
            raise DeclarationError(
                f"including a URL is not supported: {url}",
                facts=("isolate reads no declarations from the network: they could change without a trace",),
                hint=f"run `curl -fLo {copy} {shlex.quote(url)}`, commit the copy, and write `{option} {copy}`",
                file=includer.file,
                line=includer.line,
            )
        location = name[len("file://") :] if scheme else name
        path = Path(os.path.normpath(includer.file.parent / location))
        files = [origin.file for origin in includes]
        if path in files:
            route = " → ".join(str(step) for step in (*includes[files.index(path) :], path.name))
            raise DeclarationError(
                f"{path.name} includes itself: {route}",
                hint="remove one of these includes",
                file=includer.file,
                line=includer.line,
            )
        if len(includes) > MAX_DEPTH:
            problem = f"files are included in each other more than {MAX_DEPTH} levels deep"
            raise DeclarationError(problem, hint="include them from one file", file=includer.file, line=includer.line)
        self.read(path, includes, constraint=constraint)


def _is_in_repository(path: Path, root: Path) -> bool:
    """Return whether *path*, links followed, is in the git repository around *root*; in *root* if there is none."""
    around = (directory for directory in (root, *root.parents) if os.path.lexists(directory / ".git"))
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(next(around, root)))


def copy_name(url: str) -> str:
    """Return a name for a copy of the requirements file at *url*, which needs no quotes."""
    name = url.partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2]
    return name if re.fullmatch(r"[\w.+-]*\w", name) and "." in name else "copied-requirements.txt"


def _with_variables(text: str, options: list[tuple[str, str]], expanded_lines: list[str]) -> list[str]:
    """Return *expanded_lines*, the lines for *options*, with the variables of the line *text* in place of their values.

    A value may be a secret, and pip expands variables itself. A value that names an existing path stays.
    """
    if VARIABLE.search(text) is None:
        return expanded_lines
    written = shlex.split(text)
    values = [word.partition("=")[2] if word.startswith("--") and "=" in word else word for word in written]
    by_value = {
        expanded: raw for raw in values if VARIABLE.search(raw) for _, expanded in options if _matches(raw, expanded)
    }
    return [
        f"{name} {by_value[value]}" if value in by_value and line == f"{name} {shlex.quote(value)}" else line
        for (name, value), line in zip(options, expanded_lines, strict=True)
    ]


def _matches(raw: str, expanded: str) -> bool:
    """Return whether *expanded* can be *raw* with values in place of its variables."""
    first, *middle, last = VARIABLE.split(raw)[::2]  # a regular expression could take exponential time
    if len(first) + len(last) > len(expanded) or not (expanded.startswith(first) and expanded.endswith(last)):
        return False
    position, end = len(first), len(expanded) - len(last)
    for fixed in middle:
        position = expanded.find(fixed, position, end) + len(fixed)
        if position < len(fixed):
            return False
    return True


def _read_bytes(path: Path, includes: tuple[Origin, ...]) -> bytes:
    """Return the bytes of *path*; raise `DeclarationError` at the line that includes it, if there is one."""
    origin = includes[-1] if includes else Origin(file=path)
    subject = f"the included file {path}" if includes else "the file"

    def invalid(problem: str, hint: str) -> DeclarationError:
        return DeclarationError(f"{subject} {problem}", hint=hint, file=origin.file, line=origin.line)

    try:
        content = read_bounded(path)
    except FileNotFoundError:
        raise invalid("does not exist", "correct its path, or create it") from None
    except OSError as error:
        raise invalid(f"cannot be read: {error.strerror}", "correct its path, or check its permissions") from None
    if path.name.startswith("pylock.") and path.suffix == ".toml":
        raise invalid("is a lock file, not a requirements file", "rename it to pylock.toml to use it as the lock")
    return content


def _decode(path: Path, content: bytes) -> str:
    try:
        return decode(content)
    except (UnicodeDecodeError, LookupError) as error:
        raise DeclarationError(f"cannot be decoded: {error}", hint="save it as UTF-8", file=path) from None
