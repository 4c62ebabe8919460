"""What the block of a script declares besides its dependencies."""

from __future__ import annotations

import pytest

from isolate.declarations.script_file import read_script
from isolate.errors import DeclarationError


@pytest.fixture
def read(tmp_path):
    def read(*lines):
        block = ["# /// script", *(f"# {line}" if line else "#" for line in lines), "# ///", "print()"]
        (tmp_path / "tool.py").write_text("\n".join(block))
        script = read_script(tmp_path / "tool.py")
        assert script is not None
        return script.declarations(tmp_path / "environment")

    return read


def test_tables_of_uv_count(read, tmp_path):
    declarations = read(
        'dependencies = ["alpha", "beta", "gamma"]',
        "",
        "[tool.uv]",
        'constraint-dependencies = ["delta<2"]',
        "no-binary-package = ['gamma']",
        "[[tool.uv.index]]",
        'name = "corp"',
        'url = "https://corp.example/simple"',
        "explicit = true",
        "[tool.uv.sources]",
        "alpha = { path = 'local' }",
        "beta = { index = 'corp' }",
        "gamma = { git = 'https://git.example/gamma', rev = 'abc' }",
    )
    assert [declared.url for declared in declarations.requirements] == [
        (tmp_path / "local").as_uri(),
        None,
        "git+https://git.example/gamma@abc",
    ]
    assert [declared.text for declared in declarations.constraints] == ["delta<2"]
    assert declarations.index_options == ("--no-binary gamma",)
    assert declarations.package_indexes == {"beta": "https://corp.example/simple"}


def test_a_relative_file_url_starts_from_the_script(read, tmp_path):
    declarations = read('dependencies = ["alpha @ file:./local"]')
    [declared] = declarations.requirements
    assert declared.url == (tmp_path / "local").as_uri()
    assert declared.text == f"alpha @ {declared.url}"
    [content] = declarations.contents.values()
    assert str(tmp_path) in content.decode()


def test_variables_in_the_url_of_an_index_stay_and_are_known(read, monkeypatch):
    monkeypatch.setenv("TOKEN", "secret")
    declarations = read("[[tool.uv.index]]", 'url = "https://${TOKEN}@corp.example/simple"')
    assert "${TOKEN}" in declarations.index_options[0]
    assert "secret" in declarations.expanded_index_options[0]
    assert declarations.variable_names == {"TOKEN"}
    assert not any(b"secret" in content for content in declarations.contents.values())


def test_indexes_of_isolate_count(read):
    declarations = read("[tool.isolate.indexes]", "Corp_Lib = 'https://corp.example/simple'")
    assert declarations.package_indexes == {"corp-lib": "https://corp.example/simple"}


@pytest.mark.parametrize(
    ("lines", "line", "part"),
    [
        (["[tool.uv]", "override-dependencies = ['x']"], 3, "tool.uv.override-dependencies is not supported"),
        (["[tool.uv]", "dev-dependencies = ['x']"], 3, "tool.uv.dev-dependencies is not about a script"),
        (["[tool.uv]", "constraint-dependencys = ['x']"], 3, "constraint-dependencys"),
        (["[tool.pdm.dev-dependencies]", "x = ['x']"], 2, "tool.pdm.dev-dependencies is not about a script"),
        (["[tool.isolate]", "exclude = ['x']"], 3, "tool.isolate.exclude is not about a script"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(read, lines, line, part):
    with pytest.raises(DeclarationError, match=part.replace(".", r"\.")) as raised:
        read(*lines)
    assert raised.value.line == line


def test_comments_and_order_do_not_matter_and_everything_else_does(read):
    first = read("dependencies = ['a']  # why", "requires-python = '>=3'").contents
    assert read("requires-python = '>=3'", "", "dependencies = ['a']").contents == first
    assert read("requires-python = '>=3.1'", "dependencies = ['a']").contents != first
