"""Applications that `pyproject.toml`, its tables of other tools, or `Pipfile` declares."""

from __future__ import annotations

import pytest
from forms import Form, prove, repository

from kit.packages import build_tree, build_wheel

pytestmark = pytest.mark.store("warm")

PROJECT = '[project]\nname = "demo"\nversion = "1.0"\n'

GROUPS = Form(
    {
        "pyproject.toml": PROJECT + '%dependencies% = ["alpha<2"]\n'
        '[dependency-groups]\ntest = ["delta"]\ndev = [{ include-group = "test" }, "gamma"]\ndocs = ["payload"]\n'
    },
    {"alpha": "1.1", "delta": "1.0", "gamma": "1.0"},
    ("pyproject.toml", "alpha<2", "alpha>=2"),
    {"alpha": "2.0", "delta": "1.0", "gamma": "1.0"},
)
UV_TABLES = Form(
    {
        "pyproject.toml": PROJECT + 'dependencies = ["alpha"]\n[dependency-groups]\ndocs = ["payload"]\n'
        '[tool.uv]\ndev-dependencies = ["delta"]\ndefault-groups = ["dev", "docs"]\n'
        '%constraint-dependencies% = ["alpha<2"]\n'
    },
    {"alpha": "1.1", "delta": "1.0", "payload": "1.0"},
    ("pyproject.toml", "alpha<2", "alpha<1.1"),
    {"alpha": "1.0", "delta": "1.0", "payload": "1.0"},
)
UV_SOURCES = Form(
    {
        "pyproject.toml": PROJECT + 'dependencies = ["from-git", "from-path", "from-url"]\n'
        "[tool.uv.%sources%]\n"
        'from-git = { git = "file://@ABOVE@/from-git", tag = "1.0" }\n'
        'from-path = { path = "../from-path", editable = true }\n'
        'from-url = { url = "file://@ABOVE@/wheels/from_url-1.0-py3-none-any.whl" }\n'
    },
    {"from_git": "1.0", "from_path": "1.0", "from_url": "1.0", "alpha": "1.1", "delta": "1.0"},
    ("pyproject.toml", '"from-path", ', '"from-path", "payload", '),
)
UV_WORKSPACE = Form(
    {
        "../pyproject.toml": '[tool.uv.%workspace%]\nmembers = ["app", "libs/*"]\n[tool.uv.sources]\n'
        "core = { workspace = true }\n",
        "pyproject.toml": PROJECT + 'dependencies = ["core"]\n',
    },
    {"core": "1.0", "alpha": "1.1"},
    ("../libs/core/pyproject.toml", "alpha<2", "alpha<1.1"),
)
PDM_TABLES = Form(
    {
        "pyproject.toml": PROJECT + 'dependencies = ["alpha<2"]\n'
        '[tool.pdm]\ndistribution = false\n[tool.pdm.%dev-dependencies%]\ntest = ["delta"]\nlint = ["gamma"]\n'
    },
    {"alpha": "1.1", "delta": "1.0", "gamma": "1.0"},
    ("pyproject.toml", '"delta"', '"payload"'),
    {"alpha": "1.1", "payload": "1.0", "gamma": "1.0"},
)
PIPFILE = Form(
    {"Pipfile": '[%packages%]\nalpha = "<2"\n[dev-packages]\ndelta = "*"\n[docs]\npayload = "*"\n'},
    {"alpha": "1.1", "delta": "1.0"},
    ("Pipfile", '"<2"', '">=2"'),
    {"alpha": "2.0", "delta": "1.0"},
)
ISOLATE = Form(
    {
        "pyproject.toml": '[tool.isolate]\n%requirements% = ["requirements/base.txt"]\nconstraints = ["limits.txt"]\n',
        "requirements/base.txt": "alpha\n",
        "limits.txt": "alpha<2\n",
    },
    {"alpha": "1.1"},
    ("limits.txt", "alpha<2", "alpha<1.1"),
    {"alpha": "1.0"},
)


@pytest.fixture
def app(application, index, tmp_path):
    """Return the directory of an application in a repository that has sources for its packages."""
    (tmp_path / "repository/.git").mkdir(parents=True)
    return application(name="repository/app")


def test_dependency_groups(isolate, app):
    prove(isolate, app, GROUPS)


def test_tables_of_uv(isolate, app):
    prove(isolate, app, UV_TABLES)


def test_sources_of_uv(isolate, app):
    repository(build_tree(app.parent / "from-git", "from-git", "1.0", requires=["alpha<2"]))
    build_tree(app.parent / "from-path", "from-path", "1.0", requires=["delta"])
    build_wheel(app.parent / "wheels", "from-url", "1.0")
    prove(isolate, app, UV_SOURCES)


def test_a_workspace_of_uv(isolate, app):
    build_tree(app.parent / "libs/core", "core", "1.0", requires=["alpha<2"])
    prove(isolate, app, UV_WORKSPACE)


def test_tables_of_pdm(isolate, app):
    prove(isolate, app, PDM_TABLES)


def test_pipfile(isolate, app):
    prove(isolate, app, PIPFILE)


def test_settings_of_isolate(isolate, app):
    prove(isolate, app, ISOLATE)
