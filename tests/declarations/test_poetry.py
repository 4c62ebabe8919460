"""`[tool.poetry]`: what is read of it, what its library converts, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from conftest import versions
from isolate.declarations.read import read_declarations
from isolate.errors import DeclarationError, IsolateError
from isolate.resolution.poetry import SCRIPT, WHEEL

POETRY = """
[tool.poetry]
name = "Demo"
version = "1"
{more}
[tool.poetry.dependencies]
python = "^3.9"
alpha = "^1.0"
beta = {{ version = "*", optional = true, markers = "sys_platform != 'win32'" }}
gamma = [{{ version = "^1", python = "<3" }}, {{ version = "^2", python = ">=3" }}]
lib = {{ path = "lib", develop = true, extras = ["x"] }}
[tool.poetry.extras]
web = ["Beta", "alpha"]
[tool.poetry.group.test.dependencies]
pytest = "*"
[tool.poetry.group.docs]
optional = true
include-groups = ["test"]
[tool.poetry.group.docs.dependencies]
sphinx = {{ git = "https://h.example/s", tag = "v1", python = ">=3" }}
[tool.poetry.dev-dependencies]
mypy = "*"
"""

LIBRARY = {
    "poetry/core/factory.py": """
class Factory:
    @staticmethod
    def create_dependency(name, constraint):
        class Dependency:
            def to_pep_508(self):
                extras = f"[{','.join(constraint['extras'])}]" if constraint.get("extras") else ""
                version = constraint.get("version", "*")
                if version == "nonsense":
                    raise ValueError("Could not parse version constraint: nonsense")
                text = name + extras + (f" (>={version[1:]})" if version != "*" else "")
                markers = [constraint["markers"]] if "markers" in constraint else []
                if "python" in constraint:
                    operator = constraint["python"].rstrip("0123456789.")
                    markers.append(f"python_version {operator} '{constraint['python'][len(operator):]}'")
                return text + (" ; " + " and ".join(markers) if markers else "")
        return Dependency()
""",
    "poetry/core/constraints/version.py": "def parse_constraint(text): return text\n",
    "poetry/core/version/helpers.py": "def format_python_constraint(text): return '>=' + text[1:]\n",
}
"""Answers as Poetry's library does, for what these tests ask."""


@pytest.fixture
def library(cache):
    """Put a library that needs no network into the store."""
    for path, text in LIBRARY.items():
        file = next(cache.glob("store-*")) / "tools" / WHEEL / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def read(root, text):
    (root / "pyproject.toml").write_text(text)
    return read_declarations(root, {})


def test_what_is_read_without_the_library(tmp_path):
    (tmp_path / "lib").mkdir()
    declarations = read(tmp_path, POETRY.format(more="[build-system]\nrequires = []\n"))
    assert declarations.project.name == "demo"
    assert declarations.project.is_package
    assert declarations.extras == ("web",)
    assert declarations.groups == ("test", "docs", "dev")
    assert declarations.default_groups == ("test", "dev")
    assert declarations.needs_metadata
    assert not declarations.needs_build
    found = {(entry.name, entry.extra, entry.group) for entry in declarations.poetry.dependencies}
    assert found == {
        ("alpha", None, None),
        ("beta", "web", None),
        ("gamma", None, None),
        ("lib", None, None),
        ("pytest", None, "test"),
        ("sphinx", None, "docs"),
        ("pytest", None, "docs"),
        ("mypy", None, "dev"),
    }


def test_a_project_table_has_the_dependencies_and_poetry_says_where_they_come_from(tmp_path):
    text = '[project]\nname = "d"\ndependencies = ["a>1", "b"]\n[tool.poetry.dependencies]\npython = "^3"\n'
    text += 'a = { git = "https://h.example/a" }\nb = "^9"\n[tool.poetry.group.dev.dependencies]\nc = "*"\n'
    declarations = read(tmp_path, text)
    assert [entry.text for entry in declarations.requirements] == ["a @ git+https://h.example/a", "b"]
    assert [entry.name for entry in declarations.poetry.dependencies] == ["c"]
    assert not declarations.project.is_package


@pytest.mark.parametrize(
    ("sources", "options"),
    [
        ('[[tool.poetry.source]]\nname = "a"\nurl = "https://a.x"\n', ("--index-url https://a.x",)),
        (
            '[[tool.poetry.source]]\nname = "PyPI"\n[[tool.poetry.source]]\nname = "a"\nurl = "https://a.x"\n',
            ("--extra-index-url https://a.x",),
        ),
        (
            '[[tool.poetry.source]]\nname = "a"\nurl = "https://a.x"\npriority = "supplemental"\n',
            ("--extra-index-url https://a.x",),
        ),
        ('[[tool.poetry.source]]\nname = "a"\nurl = "https://a.x"\npriority = "explicit"\n', ()),
    ],
)
def test_sources_of_packages_are_indexes(tmp_path, sources, options):
    assert read(tmp_path, f'[tool.poetry]\nname = "d"\n{sources}').index_options == options


def test_a_dependency_from_a_source_is_bound_to_it(tmp_path):
    text = '[tool.poetry.dependencies]\na = { version = "1", source = "s" }\n'
    text += '[[tool.poetry.source]]\nname = "s"\nurl = "https://s.x"\npriority = "explicit"\n'
    assert read(tmp_path, text).package_indexes == {"a": "https://s.x"}


OTHER_SOURCE = '[[tool.poetry.source]]\nname = "s"\nurl = "https://s.x"\n'


@pytest.mark.parametrize(
    "sources",
    [
        "",
        '[[tool.poetry.source]]\nname = "pypi"\npriority = "explicit"\n',
        OTHER_SOURCE + 'priority = "explicit"\n',
    ],
)
def test_the_default_source_needs_no_url(tmp_path, sources):
    text = '[tool.poetry.dependencies]\na = { version = "1", source = "PyPI" }\n'
    declarations = read(tmp_path, text + sources)
    assert [entry.name for entry in declarations.poetry.dependencies] == ["a"]
    assert not declarations.package_indexes
    assert not declarations.index_options


def test_a_dependency_cannot_be_bound_to_the_default_source_beside_others(tmp_path):
    text = '[tool.poetry.dependencies]\na = { version = "1", source = "PyPI" }\n'
    for priority in ("primary", "supplemental"):
        with pytest.raises(DeclarationError, match=r"tool\.poetry\.dependencies\.a: there is no source PyPI") as error:
            read(tmp_path, f'{text}{OTHER_SOURCE}priority = "{priority}"\n')
        assert error.value.hint == 'give the other sources priority = "explicit"'


WRONG = [
    "[tool.poetry.dependencies]\na = { version = '1', sauce = 's' }\n",
    "[tool.poetry.dependencies]\na = { version = '1', source = 's' }\n",
    "[tool.poetry.dependencies]\na = 1\n",
    "[tool.poetry.group.a]\ninclude-groups = ['a']\n",
    "[tool.poetry.group.a]\ninclude-groups = ['b']\n",
    "[[tool.poetry.source]]\nname = 's'\n",
    "[tool.poetry.dependenciess]\na = '1'\n",
    "[tool.poetry.dev_dependencies]\na = '1'\n",
    "[tool.poetry.groups.a.dependencies]\na = '1'\n",
    "[tool.poetry.group.a.dependencys]\na = '1'\n",
    "[tool.poetry.extra]\na = ['b']\n",
    "[[tool.poetry.sources]]\nname = 's'\n",
    "[tool.poetry]\npackage_mode = false\n",
]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_not_understood_is_an_error(tmp_path, text):
    with pytest.raises(IsolateError):
        read(tmp_path, text)


def test_an_application_that_is_no_package_is_synced(isolate, application, index, library):
    text = '[tool.poetry]\npackage-mode = false\n[tool.poetry.dependencies]\npython = "^3.9"\nalpha = "^1.1"\n'
    text += '[tool.poetry.group.test.dependencies]\ndelta = "^1"\n'
    app = application({"pyproject.toml": text})
    shown = isolate("sync", "--dry-run", cwd=app).out
    assert "left out" in shown
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "2.0", "delta": "1.0"}
    isolate("check", cwd=app)
    assert isolate("sync", cwd=app).out.startswith("nothing to do")
    (app / "pyproject.toml").write_text(text.replace("^1.1", "^1.2"))
    assert "metadata unknown" in isolate("check", cwd=app, status=1).out
    (app / "pyproject.toml").write_text(text.replace("^1.1", "nonsense"))
    assert "pyproject.toml:5: alpha" in isolate("sync", cwd=app, status=2).err


@pytest.mark.network
def test_the_library_that_poetry_publishes_is_asked(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(tmp_path), "poetry-core==2.5.0"],
        env={**os.environ, "PIP_CONFIG_FILE": ""},
        check=False,
    )
    if done.returncode:
        pytest.skip("there is no package index")
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(tmp_path / WHEEL), str(tmp_path / "lib")], check=True)
    constraint = '{"version": "^1.2", "python": ">=3.9", "extras": ["x"]}'
    request = f'{{"dependencies": [["a", {constraint}], ["b", "=>"]], "python": "^3.9"}}'
    answer = subprocess.run(
        [sys.executable, "-I", SCRIPT, str(tmp_path / "lib")], input=request, text=True, capture_output=True, check=True
    ).stdout
    assert '"a[x] (>=1.2,<2.0) ; python_version >= \\"3.9\\""' in answer
    assert '"error"' in answer
    assert '">=3.9,<4.0"' in answer
