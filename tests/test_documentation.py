"""The documentation names what exists: files, functions, options, settings, dependencies."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from packaging.requirements import Requirement

from conftest import SOURCE
from isolate.cli.main import isolate
from isolate.declarations import pdm_tables, pipfile, poetry_tables, uv_keys, uv_sources, uv_tables
from isolate.declarations.settings import Settings
from isolate.pip.options import ALLOWED_OPTIONS, DEMANDING_OPTIONS
from test_architecture import LAYERS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = SOURCE.parent
DOCS = ROOT / "docs"
ARCHITECTURE = DOCS / "architecture.md"
PAGES = sorted(
    path
    for directory in (ROOT, DOCS, ROOT / "changes", ROOT / ".github", ROOT / "examples")
    for path in (directory.glob("*.md") if directory == ROOT else directory.rglob("*.md"))
    if ".venv" not in path.parts
)
USER_PAGES = [ROOT / "README.md", DOCS / "guarantees.md", DOCS / "comparison.md", *sorted(DOCS.glob("reference/*.md"))]
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
OPTION = re.compile(r"(?<![\w-])(--?[a-z][a-z-]*)")
FRAGMENT = re.compile(r"(\+[a-z0-9]+(-[a-z0-9]+)*|[0-9]+)\.(?P<kind>[a-z]+)\.md")
MAX_COLUMNS = 118
OPTIONS_OF_PIP = {
    *("--config-settings", "--global-option", "--hash", "--require-hashes", "-c", "-e", "-r"),
    *("--extra-index-url", "--find-links", "--index-url", "--no-index", "--only-binary", "--pre", "--trusted-host"),
}
"""Options that may stand in a requirements file, and are none of isolate's."""

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    """Return the text of *page* without its code blocks."""
    return FENCE.sub("", read(page))


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of *page*, as a site that renders Markdown makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_lead_somewhere(page):
    for link in LINK.findall(prose(page)):
        path, _, anchor = link.partition("#")
        if not re.match(r"[a-z]+:", link):
            target = page.parent / path if path else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


def test_every_decision_is_in_the_index():
    index = read(DOCS / "decisions/README.md")
    listed = re.findall(r"^\| \[(\d+)\]\(([^)]+)\) \| (.+) \|$", index, re.MULTILINE)
    records = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    assert records
    assert [path for _, path, _ in listed] == [record.name for record in records]
    for (number, path, title), record in zip(listed, records, strict=True):
        assert read(record).splitlines()[0] == f"# {number}. {title}", path


def modules() -> set[str]:
    """Return the names of all modules and packages below `isolate`, without it: `store`, `store.fill`."""
    paths = (path.relative_to(SOURCE / "isolate").with_suffix("") for path in (SOURCE / "isolate").rglob("*.py"))
    return {".".join(path.parts).removesuffix(".__init__") for path in paths} - {"__init__"}


def exists(dotted: str) -> bool:
    """Return whether *dotted* is a module below `isolate`, or leads from one to an attribute."""
    module = max((name for name in modules() if f"{dotted}.".startswith(f"{name}.")), key=len)
    value = importlib.import_module(f"isolate.{module}")
    for part in filter(None, dotted.removeprefix(module).split(".")):
        fields = getattr(value, "__annotations__", {})
        if not hasattr(value, part):
            return part in fields
        value = getattr(value, part)
    return True


def dotted_names() -> list[str]:
    """Return the names in backticks in the architecture page that begin with a package or module of isolate."""
    spans = {span.removesuffix("()") for span in SPAN.findall(prose(ARCHITECTURE))}
    tops = {name for name in modules() if "." not in name}
    return sorted(one for one in spans if re.fullmatch(r"\w+(\.\w+)+", one) and one.partition(".")[0] in tops)


@pytest.mark.parametrize("name", dotted_names())
def test_names_in_the_architecture_exist(name):
    assert exists(name)


def test_paths_in_the_architecture_exist():
    for span in SPAN.findall(prose(ARCHITECTURE)):
        if re.fullmatch(r"[\w/]+\.(py|md|toml|yml)", span) and "/" in span:
            assert (SOURCE / "isolate" / span).exists() or (ROOT / span).exists(), span


def test_the_architecture_lists_the_layers_in_their_order():
    section = read(ARCHITECTURE).partition("## Packages")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    assert [set(SPAN.findall(row)) for row in rows] == [*reversed(LAYERS)]


def help_texts() -> dict[str, str]:
    """Return what `--help` prints, by command: "" for `isolate` itself, `store gc` for one in a group."""

    def walk(command: click.Command, *words: str) -> dict[str, str]:
        text = CliRunner().invoke(isolate, [*words, "--help"], prog_name="isolate").output
        context = click.Context(command)
        names = command.list_commands(context) if isinstance(command, click.Group) else ()
        below = {name: command.get_command(context, name) for name in names}
        return {" ".join(words): text} | {
            key: value for name, one in below.items() for key, value in walk(one, *words, name).items()
        }

    return walk(isolate)


HELP = help_texts()
OPTIONS = {command: set(OPTION.findall(text)) for command, text in HELP.items()}


def commands_in(page: Path) -> list[list[str]]:
    """Return the command lines of isolate on *page*, in words, without what follows `--` and without comments."""
    typed = [line[2:] for line in read(page).splitlines() if line.startswith("$ ")]
    lines = [line for line in (*typed, *SPAN.findall(prose(page))) if re.match(r"isolate( |$)", line)]
    return [re.split(r"\s+--?\s+|\s+#|…", line)[0].split()[1:] for line in lines]


@pytest.mark.parametrize("page", USER_PAGES, ids=name_of)
def test_commands_have_the_options_that_pages_give_them(page):
    for words in commands_in(page):
        command = max((name for name in HELP if words[: len(name.split())] == name.split()), key=len)
        assert command or not words or words[0].startswith("-"), f"isolate {' '.join(words)}"
        assert {word for word in words if word.startswith("-")} <= OPTIONS[command], f"isolate {' '.join(words)}"


@pytest.mark.parametrize("page", USER_PAGES, ids=name_of)
def test_options_on_pages_exist(page):
    known = set().union(*OPTIONS.values()) | OPTIONS_OF_PIP
    spans = (span for span in SPAN.findall(prose(page)) if span.startswith("-"))
    assert {option for span in spans for option in OPTION.findall(span)} <= known


def test_the_searches_find_what_is_there():
    assert {"--all", "-j", "--upgrade-package", "--changed-since"} <= set().union(*OPTIONS.values())
    assert {"", "sync", "store gc"} <= set(HELP)
    assert ["sync", "--all", "-q"] in commands_in(ROOT / "README.md")
    assert len(dotted_names()) > 50
    assert not exists("store.fill.no_such_function")
    assert anchors(ARCHITECTURE) > {"glossary", "the-life-of-one-sync"}


def test_every_setting_of_pip_is_listed():
    page = read(DOCS / "reference/environment-variables.md")
    section = page.partition("## Settings of pip")[2].partition("\n## ")[0]
    rows = (line for line in section.splitlines() if line.startswith("| `"))
    assert {name for row in rows for name in SPAN.findall(row)} == ALLOWED_OPTIONS | DEMANDING_OPTIONS


def test_every_key_of_the_configuration_is_listed():
    rows = re.findall(r"^\| `([a-z-]+)` \|", read(DOCS / "reference/configuration.md"), re.MULTILINE)
    assert sorted(rows) == sorted(field.replace("_", "-") for field in Settings._fields)


@pytest.mark.parametrize("module", ["environment.records", "store.layout"])
def test_every_file_that_a_module_owns_is_described(module):
    drawing = str(importlib.import_module(f"isolate.{module}").__doc__)
    names = re.findall(r"^  ([\w.-]+)", drawing, re.MULTILINE)
    page = read(DOCS / "reference/files.md")
    assert len(names) > 6
    assert [name for name in names if f"`{name}" not in page] == []


def test_tests_that_show_a_format_exist():
    page = read(DOCS / "formats.md")
    named = re.findall(r"`(tests/[^`:]+\.py)(?:::(\w+))?`", page)
    assert len(named) > 50
    assert page.count("`tests/") == len(named) + page.count("`tests/real`")
    missing = [f"{path}::{name}" for path, name in named if not (ROOT / path).exists()]
    missing += [f"{path}::{name}" for path, name in named if name and f"\ndef {name}(" not in read(ROOT / path)]
    assert missing == []


KEYS_OF_FORMATS = {
    "tool.uv": (
        *(uv_keys.HONOURED, uv_keys.REFUSED, uv_keys.IGNORED, uv_keys.WORKSPACE_KEYS),
        *(uv_tables.INDEX_KEYS, uv_sources.CONDITIONS, *uv_sources.SOURCE_KEYS.values()),
    ),
    "tool.pdm": (
        *(pdm_tables.DECLARING, pdm_tables.OTHERS, pdm_tables.LEGACY_KEYS),
        *(pdm_tables.SOURCE_KEYS, pdm_tables.RESOLUTION_KEYS),
    ),
    "tool.poetry": (
        *(poetry_tables.DECLARING, poetry_tables.OTHERS, poetry_tables.GROUP_KEYS, poetry_tables.CONSTRAINT_KEYS),
        *(poetry_tables.SOURCE_KEYS, poetry_tables.OTHER_KEYS, poetry_tables.INDEX_KEYS),
    ),
    "Pipfile": (
        *(pipfile.DECLARING, pipfile.OTHERS, pipfile.SOURCE_KEYS, pipfile.INDEX_KEYS, pipfile.REQUIRES_KEYS),
        ("version", "extras", "markers", "index"),
    ),
}


@pytest.mark.parametrize("heading", KEYS_OF_FORMATS)
def test_every_key_that_is_known_is_on_the_page_of_formats(heading):
    section = re.split(rf"^###? {re.escape(heading)}$", read(DOCS / "formats.md"), flags=re.MULTILINE)[1]
    section = re.split(r"^##", section, flags=re.MULTILINE)[0]
    spans = {span.partition(" = ")[0] for span in SPAN.findall(section)}
    assert sorted({key for keys in KEYS_OF_FORMATS[heading] for key in keys} - spans) == []


def test_every_dependency_is_justified():
    groups = [PROJECT["project"]["dependencies"], PROJECT["build-system"]["requires"]]
    groups += [group for name, group in PROJECT["dependency-groups"].items() if name != "dev"]
    declared = {Requirement(text).name for group in groups for text in group}
    rows = re.findall(r"^\| \[([\w-]+)\]\(\S+\) \| \S", read(DOCS / "dependencies.md"), re.MULTILINE)
    assert sorted(rows) == sorted(declared)


def test_fragments_have_valid_names_and_texts():
    for path in (ROOT / "changes").iterdir():
        if path.name != "README.md":
            match = FRAGMENT.fullmatch(path.name)
            assert match, path.name
            assert match["kind"] in PROJECT["tool"]["towncrier"]["fragment"], path.name
            lines = read(path).splitlines()
            assert lines, path.name
            assert not lines[0].startswith(("-", "#")), path.name
            assert max(map(len, lines)) <= MAX_COLUMNS, path.name
