"""No value of a table becomes a line of its own, or another option, in the file that pip gets."""

from __future__ import annotations

import pytest

from isolate.declarations.read import read_declarations
from isolate.errors import IsolateError

PROJECT = '[project]\nname = "d"\nversion = "1"\ndependencies = ["a"]\n'
EVIL = "https://h.example/x\\n-r /etc/passwd"
TABLES = [
    f'[tool.uv.sources]\na = {{ url = "{EVIL}" }}\n',
    f'[tool.uv.sources]\na = {{ git = "{EVIL}" }}\n',
    f'[tool.uv.sources]\na = {{ git = "https://h.example/x", rev = "{EVIL}" }}\n',
    f'[tool.uv.sources]\na = {{ git = "https://h.example/x", subdirectory = "{EVIL}" }}\n',
    f'[[tool.uv.index]]\nurl = "{EVIL}"\n',
    f'[[tool.uv.index]]\nname = "i"\nurl = "{EVIL}"\nexplicit = true\n[tool.uv.sources]\na = {{ index = "i" }}\n',
    f'[tool.uv]\nextra-index-url = ["{EVIL}"]\n',
    f'[tool.uv]\nindex-url = "{EVIL}"\n',
    f'[tool.uv]\nno-binary-package = ["{EVIL}"]\n',
    f'[tool.uv]\nconstraint-dependencies = ["a @ {EVIL}"]\n',
    f'[tool.uv]\ndev-dependencies = ["a @ {EVIL}"]\n',
    f'[[tool.pdm.source]]\nname = "s"\nurl = "{EVIL}"\n',
    f'[[tool.poetry.source]]\nname = "s"\nurl = "{EVIL}"\n',
    f'[tool.poetry.dependencies]\na = {{ git = "{EVIL}" }}\n',
    f'[tool.isolate]\nindexes = {{ a = "{EVIL}" }}\n',
    '[tool.uv.sources]\na = { url = "https://[::1" }\n',
    '[tool.uv.sources]\na = { git = "https://[::1" }\n',
    '[tool.uv.sources]\na = { url = "https://h.example/%00" }\n',
    '[tool.uv.sources]\na = { url = "https://h.example/x --index-url y" }\n',
    '[[tool.uv.index]]\nurl = "https://[::1"\n',
]
PIPFILES = [
    f'[packages]\na = {{ git = "{EVIL}" }}\n',
    f'[packages]\na = {{ file = "{EVIL}" }}\n',
    '[packages]\n"a\\n-r x" = "*"\n',
    f'[packages]\na = {{ version = "*", markers = "{EVIL}" }}\n',
    f'[packages]\na = {{ version = "*", extras = ["{EVIL}"] }}\n',
    f'[[source]]\nurl = "{EVIL}"\n',
    '[packages]\na = { git = "https://[::1" }\n',
    '[packages]\na1b2c3d = { file = "https://h.example/x\\n-r /etc/passwd" }\n',
]


@pytest.mark.parametrize("text", TABLES)
def test_tables_of_a_project(tmp_path, text):
    (tmp_path / "pyproject.toml").write_text(PROJECT + text)
    with pytest.raises(IsolateError):
        read_declarations(tmp_path, {})


@pytest.mark.parametrize("text", PIPFILES)
def test_pipfiles(tmp_path, text):
    (tmp_path / "Pipfile").write_text(text)
    with pytest.raises(IsolateError):
        read_declarations(tmp_path, {})


@pytest.mark.parametrize(
    "text",
    [
        '[tool.uv.sources]\na = { path = "x\\n-r y" }\n',
        '[tool.uv]\nfind-links = ["./a b"]\n',
        f'[tool.uv.sources]\na = {{ path = "{"a" * 300}", editable = true }}\n',
        f'[tool.uv.sources]\na = {{ path = "{"a" * 300}" }}\n',
        '[[tool.uv.index]]\nurl = "https://h.example/$(touch x)"\n',
    ],
)
def test_what_is_valid_is_one_line(tmp_path, text):
    (tmp_path / "a b").mkdir()
    (tmp_path / "pyproject.toml").write_text(PROJECT + text)
    declarations = read_declarations(tmp_path, {})
    lines = [entry.text for entry in declarations.requirements] + [*declarations.index_options]
    assert not [line for line in lines if "\n" in line]
