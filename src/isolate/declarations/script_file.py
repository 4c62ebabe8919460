"""Inline script metadata (PEP 723): what a single Python file says about its requirements, in a block of comments.

https://packaging.python.org/en/latest/specifications/inline-script-metadata/
"""

from __future__ import annotations

import itertools
import json
import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from isolate.bounded_read import read_bounded
from isolate.declarations.declared import Declarations, DeclaredRequirement, Origin
from isolate.declarations.limits import MAX_REQUIREMENTS, parsed_specifier, shortened
from isolate.declarations.local_trees import through_trees
from isolate.declarations.pdm_tables import read_pdm_tables
from isolate.declarations.project_file import read_settings, read_tree, with_tables
from isolate.declarations.requirement_line import invalid_requirement, requirement_in
from isolate.declarations.requirements_text import VARIABLE
from isolate.declarations.settings import Settings
from isolate.declarations.sources import from_sources
from isolate.declarations.toml_file import TomlFile, invalid_toml, parse_toml, unreadable
from isolate.declarations.tool_tables import ToolTables
from isolate.declarations.uv_tables import read_own_uv_tables
from isolate.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from packaging.specifiers import SpecifierSet

START = re.compile(rb"^# /// (?P<type>[a-zA-Z0-9-]+)\r?$", re.MULTILINE)
END = b"# ///"
KEYS = ("dependencies", "requires-python", "tool")
SETTINGS = ("indexes", "link_mode", "no_build_isolation", "python")
"""The settings of `[tool.isolate]` that mean something for a script."""

PROJECT_KEYS = {"uv": ("default-groups", "dev-dependencies", "package", "workspace"), "pdm": ("dev-dependencies",)}
"""The keys of other tools' tables that declare something of a project, and nothing of a script."""


class Script(NamedTuple):
    """What the block of the script *path* says.

    `metadata` is all of it in one form, whatever its comments and its order. `tables` is what the tables of other tools
    declare, `files` has the bytes of those files of source trees that were read.
    """

    path: Path
    metadata: bytes
    requirements: tuple[DeclaredRequirement, ...] = ()
    requires_python: SpecifierSet | None = None
    settings: Settings = Settings()
    tables: ToolTables = ToolTables()
    constraints: tuple[DeclaredRequirement, ...] = ()
    files: Mapping[Path, bytes] = {}

    def declarations(self, root: Path) -> Declarations:
        """Return what the script declares for its environment, which is in the directory *root*."""
        return Declarations(
            root=root,
            contents={metadata_file(root): self.metadata, **self.files},
            requirements=self.requirements,
            constraints=self.constraints,
            requires_python=self.requires_python,
            index_options=self.tables.index_options,
            expanded_index_options=tuple(map(_expanded, self.tables.index_options)),
            package_indexes={**self.tables.package_indexes, **self.settings.indexes},
            settings=self.settings,
            script=self.path,
        )


def _expanded(line: str) -> str:
    return VARIABLE.sub(lambda match: os.environ.get(match[1]) or match[0], line)


class _Block(TomlFile):
    """The TOML in the block of a script, whose first line is line *first* of the file."""

    def __init__(self, path: Path, text: str, first: int) -> None:
        self.path, self.text, self._first = path, text, first
        self.content = text.encode()
        try:
            self.table: Mapping[str, Any] = parse_toml(text)
        except ValueError as error:
            raise invalid_toml(path, error, first - 1) from None

    def origin(self, text: str) -> Origin:
        """Return the place of *text* in the script."""
        origin = super().origin(text)
        return origin if origin.line is None else origin._replace(line=origin.line + self._first - 1)


def metadata_file(root: Path) -> Path:
    """Return the file in *root*, the directory of the environment of a script, that holds its metadata."""
    return root / "metadata.json"


def read_script(path: Path) -> Script | None:
    """Return what the script at *path* says about its requirements; None if it has no block.

    Raises `DeclarationError` for a block that is not valid, and for what it asks for and isolate does not do.
    """
    try:
        content = read_bounded(path)
    except OSError as error:
        raise unreadable(path, error) from None
    blocks = [*itertools.islice((match for match in START.finditer(content) if match["type"] == b"script"), 2)]
    if not blocks:
        return None
    starts = [content.count(b"\n", 0, match.start()) + 1 for match in blocks]
    if len(blocks) > 1:
        problem = f"there is another block `# /// script` in line {starts[0]}"
        raise DeclarationError(problem, hint="keep one of them", file=path, line=starts[1])
    return _script(_block(path, content[blocks[0].end() :], starts[0]))


def _block(path: Path, rest: bytes, start: int) -> _Block:
    """Return the block that begins with line *start* of *path*, before the *rest*."""
    lines = [line.rstrip(b"\r") for line in rest.split(b"\n")[1:]]
    inside = next((number for number, line in enumerate(lines) if not _is_comment(line)), len(lines))
    ends = [number for number, line in enumerate(lines[:inside]) if line == END]
    if not ends:
        problem = "the block `# /// script` has no end"
        raise DeclarationError(problem, hint="end it with a line `# ///`", file=path, line=start)
    try:  # the rest of the script may have another encoding
        text = b"".join(line[2:] + b"\n" for line in lines[: ends[-1]]).decode()
    except UnicodeDecodeError as error:
        problem = f"the block `# /// script` is not valid UTF-8: {error.reason}"
        raise DeclarationError(problem, hint="save it as UTF-8", file=path, line=start) from None
    return _Block(path, text, start + 1)


def _is_comment(line: bytes) -> bool:
    return line == b"#" or line.startswith(b"# ")


def _script(block: _Block) -> Script:
    if unknown := sorted(set(block.table) - set(KEYS)):
        raise block.error(f"unknown key {unknown[0]}", unknown[0], hint=f"known keys: {', '.join(KEYS)}")
    texts = block.strings(block.table, "dependencies", "dependencies")
    if len(texts) > MAX_REQUIREMENTS:
        raise block.error(f"there are more than {MAX_REQUIREMENTS} dependencies", "dependencies")
    tables = _tables(block)
    requirements, files = _requirements(texts, tables, block)
    # A path in a URL or in the table of a tool is relative to the script.
    has_paths = tables != ToolTables() or any((declared.url or "").startswith("file:") for declared in requirements)
    place = str(block.path.parent) if has_paths else ""
    return Script(
        path=block.path,
        metadata=json.dumps([block.table, place], sort_keys=True, default=str).encode(),
        requirements=requirements,
        requires_python=_requires_python(block),
        settings=with_tables(_settings(block), tables),
        tables=tables,
        constraints=tuple(_requirement(text, block) for text in tables.constraints),
        files=files,
    )


def _requirements(
    texts: list[str], tables: ToolTables, block: _Block
) -> tuple[tuple[DeclaredRequirement, ...], Mapping[Path, bytes]]:
    """Return *texts* as requirements, each from its source, with what source trees take from theirs, and all files."""
    declared = (_requirement(text, block) for text in texts)
    try:
        requirements = tuple(from_sources(declared, tables.sources))
    except ValueError as error:
        raise block.error(f"a source has a marker of which {error}", "marker") from None
    below, files = through_trees(requirements, read_tree, block.path.parent)
    return (*requirements, *below), files


def _tables(block: _Block) -> ToolTables:
    """Return what the tables of other tools declare; refuse what isolate cannot honour, and what is about projects."""
    tool = block.mapping(block.table, "tool")
    for name, keys in PROJECT_KEYS.items():
        for key in block.mapping(tool, name, f"tool.{name}"):
            if key in keys:
                raise block.error(f"tool.{name}.{key} is not about a script", key, hint="remove it")
    tables = read_own_uv_tables(block).merged(read_pdm_tables(block))
    if tables.refused:
        raise tables.refused[0]
    return tables


def _requirement(text: str, block: _Block) -> DeclaredRequirement:
    origin = block.origin(text)
    try:
        requirement = requirement_in(block.path.parent, text)
    except ValueError as error:
        raise invalid_requirement(text, str(error), origin) from None
    shown = text if (requirement.url or "") in text else str(requirement)
    return DeclaredRequirement(text=shown, origin=origin, requirement=requirement, url=requirement.url)


def _requires_python(block: _Block) -> SpecifierSet | None:
    text = block.string(block.table, "requires-python", "requires-python")
    try:
        return None if text is None else parsed_specifier(text)
    except ValueError:
        problem = f"requires-python: `{shortened(text or '')}` is not a valid version specifier"
        raise block.error(problem, text, hint="write a specifier such as `>=3.10`") from None


def _settings(block: _Block) -> Settings:
    """Return `[tool.isolate]`, and refuse what is not about a script."""
    settings = read_settings(block)
    for name in settings._fields:
        if name not in SETTINGS and getattr(settings, name):
            key = name.replace("_", "-")
            hint = "remove it; a script may have indexes, link-mode, no-build-isolation and python there"
            raise block.error(f"tool.isolate.{key} is not about a script", key, hint=hint)
    return settings
