"""Projects that only a real build backend describes, or that one installs."""

from __future__ import annotations

import pytest
from forms import Form, build_system, prove, repository, write

pytestmark = [pytest.mark.network, pytest.mark.store("warm")]

MODULE = '"""An application."""\n\n__version__ = "1.0"\n'
BEFORE = {"demo": "1.0", "alpha": "1.1"}
AFTER = {"demo": "1.0", "alpha": "2.0"}

SETUP_SCRIPT = Form(
    {
        "setup.py": "from setuptools import setup\n"
        'setup(name="demo", version="1.0", py_modules=["demo"], install_requires=["alpha<2"],'
        ' extras_require={"fast": ["delta"]})\n',
        "demo.py": MODULE,
    },
    BEFORE | {"delta": "1.0"},
    ("setup.py", "alpha<2", "alpha>=2"),
    options=("--extra", "fast"),
)
SETUP_CONFIG = Form(
    {
        "pyproject.toml": build_system("setuptools.build_meta", "setuptools>=64"),
        "setup.cfg": "[metadata]\nname = demo\nversion = attr: demo.__version__\n"
        "[options]\npy_modules = demo\ninstall_requires = file: base.in\n",
        "base.in": "alpha<2\n",
        "demo.py": MODULE,
    },
    BEFORE,
    ("base.in", "alpha<2", "alpha>=2"),
)
SETUPTOOLS_DYNAMIC = Form(
    {
        "pyproject.toml": build_system("setuptools.build_meta", "setuptools>=64")
        + '[project]\nname = "demo"\nversion = "1.0"\n%dynamic% = ["dependencies"]\n'
        '[tool.setuptools]\npy-modules = ["demo"]\n'
        '[tool.setuptools.dynamic]\ndependencies = { file = ["requirements.in"] }\n',
        "requirements.in": "alpha<2\n",
        "demo.py": MODULE,
    },
    BEFORE,
    ("requirements.in", "alpha<2", "alpha>=2"),
    AFTER,
)
HATCHLING_DYNAMIC = Form(
    {
        "pyproject.toml": build_system("hatchling.build", "hatchling")
        + '[project]\nname = "demo"\nversion = "1.0"\n%dynamic% = ["dependencies"]\n'
        "[tool.hatch.metadata.hooks.custom]\n",
        "hatch_build.py": "from hatchling.metadata.plugin.interface import MetadataHookInterface\n\n\n"
        "class Hook(MetadataHookInterface):\n    def update(self, metadata):\n"
        '        metadata["dependencies"] = ["alpha<2"]\n',
        "demo.py": MODULE,
    },
    BEFORE,
    ("hatch_build.py", "alpha<2", "alpha>=2"),
)
FLIT = Form(
    {
        "pyproject.toml": build_system("flit_core.buildapi", "flit_core>=3.2,<4")
        + '[tool.flit.metadata]\nmodule = "demo"\nauthor = "a"\nauthor-email = "a@example.invalid"\n'
        'requires = ["alpha<2"]\n[tool.flit.metadata.requires-extra]\nfast = ["delta"]\n',
        "demo.py": MODULE,
    },
    BEFORE,
    ("pyproject.toml", "alpha<2", "alpha>=2"),
)
PDM = Form(
    {
        "pyproject.toml": build_system("pdm.backend", "pdm-backend")
        + '[project]\nname = "demo"\ndynamic = ["version"]\n%dependencies% = ["alpha<2"]\n'
        '[tool.pdm.version]\nsource = "file"\npath = "demo.py"\n'
        '[tool.pdm.dev-dependencies]\ntest = ["delta"]\nlint = ["gamma"]\n',
        "demo.py": MODULE,
    },
    BEFORE | {"delta": "1.0", "gamma": "1.0"},
    ("pyproject.toml", "alpha<2", "alpha>=2"),
)
POETRY = Form(
    {
        "pyproject.toml": build_system("poetry.core.masonry.api", "poetry-core")
        + '[tool.poetry]\nname = "demo"\nversion = "1.0"\ndescription = ""\nauthors = []\n'
        'packages = [{ include = "demo.py" }]\n'
        '[tool.poetry.%dependencies%]\npython = "^3.8"\nalpha = "^1.0"\n'
        '[tool.poetry.group.test.dependencies]\ndelta = "*"\n',
        "demo.py": MODULE,
    },
    BEFORE | {"delta": "1.0"},
    ("pyproject.toml", "^1.0", "^2.0"),
)
POETRY_WITHOUT_PACKAGE = Form(
    {
        "pyproject.toml": '[tool.poetry]\npackage-mode = false\n[tool.poetry.%dependencies%]\npython = "^3.8"\n'
        'alpha = { version = "^1.0", python = ">=3.8" }\n'
        '[tool.poetry.group.docs]\noptional = true\n[tool.poetry.group.docs.dependencies]\ndelta = "1.0"\n',
    },
    {"alpha": "1.1"},
    ("pyproject.toml", "^1.0", "^2.0"),
)
PBR = Form(
    {
        "pyproject.toml": build_system("pbr.build", "pbr>=6.1", "setuptools"),
        "setup.py": 'import setuptools\nsetuptools.setup(setup_requires=["pbr"], pbr=True)\n',
        "setup.cfg": "[metadata]\nname = demo\n[files]\nmodules =\n    demo\n",
        "requirements.txt": "alpha<2\n",
        "demo.py": MODULE,
        ".gitignore": ".venv\n*.egg-info\nAUTHORS\nChangeLog\nbuild\n",
    },
    {"demo": "1.0.0", "alpha": "1.1"},
    ("requirements.txt", "alpha<2", "alpha>=2"),
)


@pytest.fixture(autouse=True)
def _with_backends(backends, index, monkeypatch):
    monkeypatch.setenv("PIP_FIND_LINKS", str(backends))


def test_setup_script(isolate, application):
    prove(isolate, application(), SETUP_SCRIPT)


def test_setup_config(isolate, application):
    prove(isolate, application(), SETUP_CONFIG)


def test_dynamic_dependencies_of_setuptools(isolate, application):
    prove(isolate, application(), SETUPTOOLS_DYNAMIC)


def test_dynamic_dependencies_of_hatchling(isolate, application):
    prove(isolate, application(), HATCHLING_DYNAMIC)


def test_flit(isolate, application):
    app = application()
    prove(isolate, app, FLIT)
    write(app, {"pyproject.toml": FLIT.files["pyproject.toml"].replace('requires = ["alpha', 'requiress = ["alpha')})
    assert "requiress" in isolate("sync", cwd=app, status=2).err


def test_pdm(isolate, application):
    prove(isolate, application(), PDM)


def test_poetry(isolate, application):
    prove(isolate, application(), POETRY)


def test_poetry_without_a_package(isolate, application):
    prove(isolate, application(), POETRY_WITHOUT_PACKAGE)


def test_pbr(isolate, application):
    app = application(PBR.texts())
    repository(app)
    prove(isolate, app, PBR)
