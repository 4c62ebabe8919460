from __future__ import annotations

import hashlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isolate.application_discovery import is_application
from isolate.declarations.read import read_declarations
from isolate.declarations.requirements_text import logical_lines
from isolate.errors import IsolateError

DIGEST = hashlib.sha256(b"").hexdigest()


def read(root, text, name="requirements.txt", **environ):
    (root / name).write_text(text)
    return read_declarations(root, environ)


def texts(requirements):
    return [declared.text for declared in requirements]


def test_comments_and_blank_lines_are_ignored(tmp_path):
    assert texts(read(tmp_path, "# alpha\n\n  \nbeta # not gamma\n").requirements) == ["beta"]


def test_a_backslash_joins_lines_and_the_first_one_is_the_origin(tmp_path):
    declared = read(
        tmp_path, f"\nalpha==1.0 \\\n    --hash=sha256:{DIGEST} \\\n    --hash=sha256:{DIGEST[::-1]}\n"
    ).requirements[0]
    assert declared.text == "alpha==1.0"
    assert str(declared.origin) == "requirements.txt:2"
    assert declared.hashes == {f"sha256:{DIGEST}", f"sha256:{DIGEST[::-1]}"}


def test_extras_markers_and_ranges_are_kept(tmp_path):
    declared = read(tmp_path, 'alpha[b,a] >=1,<2 ; python_version >= "3.8"\n').requirements[0]
    assert declared.name == "alpha"
    assert declared.requirement.extras == {"a", "b"}
    assert str(declared.requirement.marker) == 'python_version >= "3.8"'
    assert declared.pin is None


@pytest.mark.parametrize(
    ("text", "pin"), [("a==1.0", "1.0"), ("a===1.0", "1.0"), ("a==1.*", None), ("a>=1", None), ("a==1,<2", None)]
)
def test_a_pin_allows_exactly_one_version(tmp_path, text, pin):
    assert read(tmp_path, f"{text}\n").requirements[0].pin == pin


def test_includes_are_relative_to_the_including_file(tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more/base.txt").write_text("-r deep.txt\nbeta\n")
    (tmp_path / "more/deep.txt").write_text("gamma\n")
    declarations = read(tmp_path, "-r more/base.txt\n--requirement=more/deep.txt\nalpha\n")
    assert texts(declarations.requirements) == ["gamma", "beta", "alpha"]
    assert [file.name for file in declarations.files] == ["requirements.txt", "base.txt", "deep.txt"]


def test_constraints_are_not_requirements(tmp_path):
    (tmp_path / "limits.txt").write_text("beta<2\n")
    declarations = read(tmp_path, "-c limits.txt\nalpha\n")
    assert texts(declarations.requirements) == ["alpha"]
    assert texts(declarations.constraints) == ["beta<2"]


def test_index_options_are_kept_in_order(tmp_path):
    text = (
        "-i https://one.example/simple\n--extra-index-url=https://two.example\n--no-binary :all:\n-f ./wheels\n--pre\n"
    )
    assert read(tmp_path, text).index_options == (
        "--index-url https://one.example/simple",
        "--extra-index-url https://two.example",
        "--no-binary :all:",
        "--find-links ./wheels",
        "--pre",
    )


def test_urls_and_paths_are_distinguished_from_names(tmp_path):
    (tmp_path / "lib").mkdir()
    text = "-e ./lib\n./lib\nalpha @ https://example.org/alpha-1.0.whl\ngit+https://example.org/x.git@v1#egg=beta\n"
    editable, local, url, vcs = read(tmp_path, text).requirements
    assert (editable.editable, editable.path, editable.name) == (True, tmp_path / "lib", None)
    assert local.path == tmp_path / "lib"
    assert (url.name, url.url) == ("alpha", "https://example.org/alpha-1.0.whl")
    assert (vcs.name, vcs.url) == ("beta", "git+https://example.org/x.git@v1#egg=beta")


def test_variables_are_expanded_in_the_url_but_not_in_the_text(tmp_path):
    declared = read(tmp_path, "alpha @ https://${TOKEN}@example.org/a-1.whl\n", TOKEN="secret").requirements[0]
    assert "secret" in declared.url
    assert "secret" not in declared.text


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"# -*- coding: latin-1 -*-\n# \xe9\n"])
def test_other_encodings_are_read(tmp_path, mark):
    (tmp_path / "requirements.txt").write_bytes(mark + b"alpha\n")
    assert texts(read_declarations(tmp_path, {}).requirements) == ["alpha"]


PROJECT = """
[project]
name = "My_App"
version = "1"
requires-python = ">=3.9"
dependencies = ["alpha"]
[project.optional-dependencies]
Fast_er = ["beta"]
all = ["my-app[fast-er]", "gamma"]
[dependency-groups]
dev = ["delta"]
Docs = [{ include-group = "dev" }, "epsilon"]
"""


def test_a_project_declares_a_base_extras_and_groups(tmp_path):
    declarations = read(tmp_path, PROJECT, "pyproject.toml")
    assert (declarations.extras, declarations.groups) == (("fast-er", "all"), ("dev", "docs"))
    assert texts(declarations.selected((), ())) == ["alpha"]
    assert texts(declarations.selected(("all",), ())) == ["alpha", "beta", "gamma"]
    assert texts(declarations.selected((), ("docs",))) == ["alpha", "delta", "epsilon"]
    assert str(declarations.requires_python) == ">=3.9"
    assert declarations.project.name == "my-app"
    assert not declarations.project.is_package


def test_a_project_that_declares_dependencies_takes_precedence(tmp_path):
    read(tmp_path, PROJECT, "pyproject.toml")
    declarations = read(tmp_path, "zeta\n")
    assert texts(declarations.selected((), ())) == ["alpha"]


def test_a_project_without_dependencies_leaves_them_to_requirements_txt(tmp_path):
    read(tmp_path, '[project]\nname = "a"\nversion = "1"\nrequires-python = ">=3.9"\n', "pyproject.toml")
    declarations = read(tmp_path, "zeta\n")
    assert texts(declarations.requirements) == ["zeta"]
    assert str(declarations.requires_python) == ">=3.9"


def test_settings_name_the_requirements_files(tmp_path):
    (tmp_path / "base.in").write_text("zeta\n")
    text = PROJECT + '[tool.isolate]\nrequirements = ["base.in"]\nlink-mode = "copy"\n'
    declarations = read(tmp_path, text, "pyproject.toml")
    assert texts(declarations.requirements) == ["zeta"]
    assert declarations.requirements_files == (tmp_path / "base.in",)
    assert declarations.settings.link_mode == "copy"


def test_the_line_of_a_declaration_is_known_if_it_is_written_once(tmp_path):
    assert str(read(tmp_path, PROJECT, "pyproject.toml").requirements[0].origin) == "pyproject.toml:6"


def test_an_application_is_a_directory_with_declarations(tmp_path):
    assert not is_application(tmp_path)
    (tmp_path / "pylock.toml").write_text("")
    assert is_application(tmp_path)
    assert read_declarations(tmp_path, {}).files == ()


@pytest.mark.parametrize("kind", ["directory", "nul"])
def test_a_file_that_is_not_text_is_an_error(tmp_path, kind):
    if kind == "directory":
        (tmp_path / "requirements.txt").mkdir()
    else:
        (tmp_path / "requirements.txt").write_bytes(b"a\0b\n")
    with pytest.raises(IsolateError):
        read_declarations(tmp_path, {})


TOKENS = st.lists(
    st.sampled_from(
        [
            "a==1",
            "-r",
            "-c",
            "-e",
            ".",
            "\\",
            "#",
            "--hash=sha256:",
            "[x]",
            ";",
            "@",
            "file:",
            "git+",
            "==",
            "\t",
            "'",
            '"',
            "é",
            "\n",
        ]
    ),
    max_size=30,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.one_of(st.text(max_size=80), TOKENS.map("".join)),
    name=st.sampled_from(["requirements.txt", "pyproject.toml"]),
)
def test_any_text_is_read_or_is_an_error_with_a_message(tmp_path, text, name):
    for path in tmp_path.glob("*.t*"):
        path.unlink()
    (tmp_path / name).write_bytes(text.encode("utf-8", errors="surrogatepass"))
    try:
        read_declarations(tmp_path, {})
    except IsolateError as error:
        assert str(error)


@given(st.lists(st.text(alphabet="ab \\#", max_size=8)))
def test_logical_lines_count_from_their_first_physical_one(lines):
    numbers = [line.number for line in logical_lines("\n".join(lines))]
    assert numbers == sorted(numbers)
    assert all(1 <= number <= len(lines) for number in numbers)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[project]\nname = "a"\n', True),
        ('project.name = "a"\n', True),
        ('[dependency-groups]\ndev = ["a"]\n', True),
        ('[tool.isolate]\nrequirements = ["a.txt"]\n', True),
        ('[tool.isolate]\napplications = ["*"]\n', False),
        ("[tool.other]\nline-length = 1\n", False),
    ],
)
def test_a_project_file_that_only_configures_tools_is_not_an_application(tmp_path, text, expected):
    (tmp_path / "pyproject.toml").write_text(text)
    assert is_application(tmp_path) is expected
