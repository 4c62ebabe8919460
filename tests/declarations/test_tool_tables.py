"""What `[tool.uv]` and `[tool.pdm]` declare, and what isolate refuses of them."""

from __future__ import annotations

import pytest

from isolate.declarations.read import read_declarations
from isolate.errors import DeclarationError, IsolateError
from isolate.request import Request, selected
from isolate.resolution.new_lock import new_lock

PROJECT = '[project]\nname = "demo"\nversion = "1"\ndependencies = ["a>1", "b"]\n'


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a project with more tables, in a repository of its own."""
    (tmp_path / ".git").mkdir()

    def write(text, project=PROJECT):
        (tmp_path / "pyproject.toml").write_text(project + text)
        return read_declarations(tmp_path, {})

    return write


def shown(declarations):
    return [entry.text for entry in declarations.requirements]


def test_groups_for_development(read):
    text = '[dependency-groups]\nDev = ["c"]\n[tool.uv]\ndev-dependencies = ["d"]\n'
    declarations = read(text)
    assert [entry.text for entry in declarations.selected((), ("dev",))] == ["a>1", "b", "c", "d"]
    assert declarations.default_groups == ("dev",)
    declarations = read('[tool.pdm.dev-dependencies]\ntest = ["t"]\nlint = ["l"]\n')
    assert selected(declarations, Request()).groups == ("lint", "test")
    assert [entry.text for entry in declarations.selected((), ("test",))] == ["a>1", "b", "t"]


@pytest.mark.parametrize(
    ("setting", "no_dev", "groups"),
    [
        ("", False, ("dev",)),
        ("", True, ()),
        ('default-groups = ["docs"]\n', False, ("docs",)),
        ('default-groups = "all"\n', False, ("dev", "docs", "test")),
        ('default-groups = "all"\n', True, ("docs", "test")),
        ("default-groups = []\n", False, ()),
    ],
)
def test_default_groups(read, setting, no_dev, groups):
    text = f'[tool.uv]\n{setting}[dependency-groups]\ndev = ["c"]\ndocs = ["d"]\ntest = ["t"]\n'
    assert selected(read(text), Request(no_dev=no_dev)).groups == groups


def test_constraints_and_indexes(read):
    declarations = read("""
[tool.uv]
constraint-dependencies = ["c<2"]
no-binary-package = ["a", "b"]
prerelease = "allow"
[[tool.uv.index]]
name = "own"
url = "https://own.example/simple"
default = true
[[tool.uv.index]]
url = "https://more.example/simple"
[[tool.uv.index]]
url = "./wheels"
format = "flat"
[[tool.uv.index]]
name = "private"
url = "https://private.example/simple"
explicit = true
""")
    assert [entry.text for entry in declarations.constraints] == ["c<2"]
    assert declarations.index_options == (
        "--index-url https://own.example/simple",
        "--extra-index-url https://more.example/simple",
        "--find-links ./wheels",
        "--no-binary a,b",
        "--pre",
    )


TWO_SOURCES = """[{ git = "https://h.example/a", marker = "sys_platform == 'linux'" },
{ url = "https://h.example/a.whl", marker = "sys_platform == 'darwin' or python_version < '3'" }]"""
SOURCES = [
    ('{ git = "https://h.example/a", rev = "v1" }', ["a @ git+https://h.example/a@v1"]),
    (
        '{ git = "https://h.example/a", tag = "t", subdirectory = "s" }',
        ["a @ git+https://h.example/a@t#subdirectory=s"],
    ),
    ('{ git = "git@h.example:o/a", branch = "main" }', ["a @ git+ssh://git@h.example/o/a@main"]),
    ('{ url = "https://h.example/a-1.tar.gz" }', ["a @ https://h.example/a-1.tar.gz"]),
    ('{ path = "lib" }', ["a @ file://{root}/lib"]),
    ('{ path = "../lib/a-1-py3-none-any.whl" }', ["a @ file://{above}/lib/a-1-py3-none-any.whl"]),
    ('{ path = "lib", editable = true }', ["-e file://{root}/lib#egg=a"]),
    (
        TWO_SOURCES,
        [
            'a @ git+https://h.example/a ; sys_platform == "linux"',
            'a @ https://h.example/a.whl ; sys_platform == "darwin" or python_version < "3"',
            'a>1; sys_platform != "linux" and (sys_platform != "darwin") and (python_version >= "3")',
        ],
    ),
    ('{ git = "https://h.example/a", group = "dev" }', ["a>1"]),
]


@pytest.mark.parametrize(("source", "expected"), SOURCES)
def test_sources(read, tmp_path, source, expected):
    (tmp_path / "lib").mkdir()
    declarations = read(f"[tool.uv.sources]\na = {source}\n")
    places = {"root": tmp_path, "above": tmp_path.parent}
    texts = [text.format(**places) for text in expected]
    normalized = [entry.text.replace("((", "(").replace("))", ")") for entry in declarations.requirements]
    assert [text for text in normalized if text != "b"] == texts or source.startswith("[")
    if source.startswith("["):
        assert normalized[:2] == texts[:2]
        marker = declarations.requirements[2].requirement.marker
        platforms = {
            ("linux", "3.11"): False,
            ("darwin", "3.11"): False,
            ("win32", "2.7"): False,
            ("win32", "3.11"): True,
        }
        for (platform, python), applies in platforms.items():
            assert marker.evaluate({"sys_platform": platform, "python_version": python}) is applies


@pytest.mark.parametrize(
    "source",
    [
        '{ gitt = "https://h.example/a" }',
        '{ git = "https://h.example/a", lfs = true }',
        '{ git = "https://h.example/a", url = "https://h.example" }',
        "{ workspace = true }",
        '{ index = "unknown" }',
        '{ url = "https://h.example/a", marker = "x y" }',
        "{ workspace = false }",
        "{}",
        "3",
    ],
)
def test_a_source_that_is_not_understood_is_an_error(read, source):
    with pytest.raises(DeclarationError, match=r"tool\.uv\.sources\.a"):
        read(f"[tool.uv.sources]\na = {source}\n")


def test_a_workspace(tmp_path):
    (tmp_path / ".git").mkdir()

    def write(place, text):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / place / "pyproject.toml").write_text(text)

    shared = '[tool.uv.sources]\nlib = { workspace = true }\npinned = { git = "https://h.example/p", rev = "1" }\n'
    write(".", f'[tool.uv.workspace]\nmembers = ["libs/*", "app"]\nexclude = ["libs/old"]\n{shared}')
    write(
        "libs/lib",
        '[project]\nname = "Lib"\ndependencies = ["core[x]; python_version > \'3\'", "q", "pinned"]\n'
        "[tool.uv.sources]\ncore = { workspace = true }\n",
    )
    write("libs/core", '[project]\nname = "core"\n[project.optional-dependencies]\nx = ["pinned"]\n')
    write("libs/old", '[project]\nname = "old"\n')
    write("app", '[project]\nname = "app"\ndependencies = ["q"]\n[dependency-groups]\ndev = ["lib>1"]\n')
    declarations = read_declarations(tmp_path / "app", {})
    shown = {(entry.text, entry.group) for entry in declarations.requirements}
    core = f'core[x] @ file://{tmp_path}/libs/core ; python_version > "3"'
    assert shown == {
        ("q", None),
        (f"-e file://{tmp_path}/libs/lib#egg=lib", "dev"),
        ("pinned @ git+https://h.example/p@1", "dev"),
        (f"-e '{core}'", "dev"),
        ('pinned @ git+https://h.example/p@1 ; python_version > "3"', "dev"),
    }
    assert {file.parent.name for file in declarations.files} == {tmp_path.name, "app", "lib", "core"}
    write("app", '[project]\nname = "app"\ndependencies = ["old"]\n[tool.uv.sources]\nold = { workspace = true }\n')
    with pytest.raises(DeclarationError, match="has this member"):
        read_declarations(tmp_path / "app", {})


def test_a_member_that_does_not_exist_is_an_error_only_where_it_is_required(read):
    sources = "[tool.uv.sources]\nunused = { workspace = true }\n"
    assert "unused" not in {entry.name for entry in read(sources).requirements}
    with pytest.raises(DeclarationError, match=r"tool\.uv\.sources\.unused: no workspace"):
        read(f'[dependency-groups]\nothers = ["unused"]\n{sources}')


REFUSED = [
    '[tool.uv]\noverride-dependencies = ["c==1"]\n',
    '[tool.uv]\nexclude-newer = "2020-01-01"\n',
    '[tool.uv]\nresolution = "lowest"\n',
    '[tool.pdm.resolution.overrides]\nc = "1"\n',
    '[tool.pdm.resolution]\nexcludes = ["c"]\n',
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_pip_cannot_follow_stops_a_resolution(read, mocker, text):
    declarations = read(text)
    context = mocker.Mock(declarations=declarations)
    with pytest.raises(DeclarationError, match="pip has nothing like it"):
        new_lock(context, None, mocker.Mock(), None)


@pytest.mark.parametrize("text", ['[tool.uv]\noverride-dependencies = []\nresolution = "highest"\n', "[tool.uv]\n"])
def test_what_changes_nothing_is_not_refused(read, text):
    assert read(text).refused == ()


FIXTURES = {
    "project": '[project]\nname = "d"\n%dependencies% = ["a"]\n',
    "extras": '[project]\nname = "d"\n[project.%optional-dependencies%]\nx = ["a"]\n',
    "dynamic": '[project]\nname = "d"\n%dynamic% = ["dependencies"]\n[build-system]\nrequires = []\n',
    "groups": '[project]\nname = "d"\n[%dependency-groups%]\ndev = ["a"]\n',
    "uv": '[project]\nname = "d"\n[tool.uv]\n%dev-dependencies% = ["a"]\n',
    "uv default": '[project]\nname = "d"\n[tool.uv]\n%default-groups% = "all"\n[dependency-groups]\nx = ["a"]\n',
    "uv constraints": '[project]\nname = "d"\n[tool.uv]\n%constraint-dependencies% = ["a<1"]\n',
    "uv overrides": '[project]\nname = "d"\n[tool.uv]\n%override-dependencies% = ["a<1"]\n',
    "uv sources": '[project]\nname = "d"\ndependencies = ["a"]\n[tool.uv.%sources%]\na = { url = "https://h.x" }\n',
    "uv source": '[project]\nname = "d"\ndependencies = ["a"]\n[tool.uv.sources]\na = { %url% = "https://h.x" }\n',
    "uv index": '[project]\nname = "d"\n[[tool.uv.%index%]]\nurl = "https://h.x"\n',
    "uv index url": '[project]\nname = "d"\n[[tool.uv.index]]\n%url% = "https://h.x"\n',
    "uv explicit": '[project]\nname = "d"\n[[tool.uv.index]]\nurl = "https://h.x"\n%explicit% = true\n',
    "pdm": '[project]\nname = "d"\n[tool.pdm.%dev-dependencies%]\ndev = ["a"]\n',
    "pdm source": '[project]\nname = "d"\n[[tool.pdm.%source%]]\nurl = "https://h.x"\n',
    "pdm source url": '[project]\nname = "d"\n[[tool.pdm.source]]\n%url% = "https://h.x"\n',
    "pdm overrides": '[project]\nname = "d"\n[tool.pdm.resolution]\n%overrides% = { a = "1" }\n',
}
"""A declaration in each place, with the key that is renamed between signs of percent."""


@pytest.mark.parametrize("case", FIXTURES)
@pytest.mark.parametrize("change", ["twice", "swapped", "underscore", "cut"])
def test_a_renamed_key_is_an_error(read, case, change):
    before, key, after = FIXTURES[case].split("%")
    read(before + key + after, project="")
    renamed = {
        "twice": key + key[-1],
        "swapped": key[:2] + key[3] + key[2] + key[4:] if len(key) > 3 else key[::-1],
        "underscore": key.replace("-", "_") + ("" if "-" in key else "_"),
        "cut": key[:-1] if len(key) > 3 else key + "s",
    }[change]
    assert renamed != key
    with pytest.raises(IsolateError):
        read(before + renamed + after, project="")
