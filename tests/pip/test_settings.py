"""Settings that say where distributions come from reach pip; settings that say where they go do not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from pips import PIPS, python_with_pip

from isolate.errors import IsolateError
from isolate.pip.options import ALLOWED_OPTIONS, BLOCKED_OPTIONS
from isolate.pip.settings import FORCED_SETTINGS, pip_environment


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def pip_variables(home, tmp_path):
    """Return a function that returns pip's variables for given ones, on a machine without settings of its own."""

    def pip_variables(*, offline=False, prefix=tmp_path / "venv", **variables):
        environ = {"HOME": str(home), "XDG_CONFIG_DIRS": str(tmp_path / "xdg"), **variables}
        return pip_environment(environ, prefix=prefix, offline=offline)

    return pip_variables


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


PASSED = {
    "PIP_INDEX_URL": "https://user:secret@host/simple",
    "PIP_EXTRA_INDEX_URL": "https://one.example https://two.example",
    "PIP_NO_INDEX": "1",
    "PIP_FIND_LINKS": "/wheels https://three.example",
    "PIP_TRUSTED_HOST": "host",
    "PIP_CERT": "/certificates",
    "PIP_CLIENT_CERT": "/certificate",
    "PIP_PROXY": "http://proxy.example",
    "PIP_RETRIES": "7",
    "PIP_KEYRING_PROVIDER": "subprocess",
    "PIP_CACHE_DIR": "/cache",
    "PIP_ONLY_BINARY": ":all:",
    "PIP_PRE": "1",
    "PIP_UPLOADED_PRIOR_TO": "P3D",
    "PIP_BUILD_CONSTRAINT": "/limits.txt",
    "HTTPS_PROXY": "http://proxy.example",
    "SSL_CERT_FILE": "/certificates",
    "SETUPTOOLS_SCM_PRETEND_VERSION": "1.0",
    "CC": "clang",
    "PATH": "/usr/bin",
    "PYTHONUTF8": "1",
    "PYTHONIOENCODING": "utf-8",
}
BLOCKED = [
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_USER",
    "PIP_SRC",
    "PIP_DRY_RUN",
    "PIP_NO_DEPS",
    "PIP_ONLY_DEPS",
    "PIP_REQUIREMENT",
    "PIP_CONSTRAINT",
    "PIP_EDITABLE",
    "PIP_PYTHON",
    "PIP_PLATFORM",
    "PIP_PYTHON_VERSION",
    "PIP_IMPLEMENTATION",
    "PIP_ABI",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_GROUP",
    "PIP_REQUIREMENTS_FROM_SCRIPT",
    "PIP_IGNORE_REQUIRES_PYTHON",
    "PIP_IGNORE_INSTALLED",
    "PIP_FORCE_REINSTALL",
    "PIP_UPGRADE",
    "PIP_UPGRADE_STRATEGY",
    "PIP_COMPILE",
    "PIP_NO_COMPILE",
    "PIP_REQUIRE_HASHES",
    "PIP_REPORT",
    "PIP_LOG",
    "PIP_QUIET",
    "PIP_VERBOSE",
    "PIP_ISOLATED",
    "PIP_EXISTS_ACTION",
    "PIP_NO_CLEAN",
    "PIP_BREAK_SYSTEM_PACKAGES",
    "PIP_SOMETHING_NEW",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONWARNINGS",
    "PYTHONUSERBASE",
    "PYTHONNOUSERSITE",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONOPTIMIZE",
    "PYTHONPYCACHEPREFIX",
    "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
]


@pytest.mark.parametrize("name", PASSED)
def test_a_setting_for_sources_or_builds_reaches_pip(pip_variables, name):
    assert pip_variables(**{name: PASSED[name]})[name] == PASSED[name]


@pytest.mark.parametrize("name", BLOCKED)
def test_a_blocked_variable_does_not_reach_pip(pip_variables, name):
    assert name not in pip_variables(**{name: "1"})


@pytest.mark.parametrize("name", BLOCKED)
def test_a_blocked_option_of_a_file_does_not_reach_pip(pip_variables, home, name):
    option = name.removeprefix("PIP_").lower().replace("_", "-")
    write(home / ".config/pip/pip.conf", f"[global]\n{option} = 1\n[install]\n{option} = 1\n")
    assert name not in pip_variables()


@pytest.mark.parametrize("name", FORCED_SETTINGS)
def test_a_forced_setting_cannot_be_overridden(pip_variables, name):
    variables = pip_variables(**{name: "/dev/null" if name == "PIP_CONFIG_FILE" else "user"})
    assert variables[name] == FORCED_SETTINGS[name]


def test_files_are_read_in_pips_order(pip_variables, home, tmp_path):
    user = (
        "[global]\nindex-url = https://user.example\ntimeout = 3\ntarget = /x\n[install]\nuser = yes\nno_binary = a\n"
    )
    write(home / ".config/pip/pip.conf", user)
    write(tmp_path / "venv/pip.conf", "[global]\nindex-url = https://venv.example\nprefix = /x\n")
    variables = pip_variables()
    assert variables["PIP_INDEX_URL"] == "https://venv.example"
    assert (variables["PIP_TIMEOUT"], variables["PIP_NO_BINARY"]) == ("3", "a")
    assert not {"PIP_TARGET", "PIP_USER", "PIP_PREFIX"} & set(variables)

    chosen = tmp_path / "chosen.conf"
    write(chosen, "[install]\nextra-index-url =\n  https://a.example\n  https://b.example\n")
    variables = pip_variables(PIP_CONFIG_FILE=str(chosen))
    assert variables["PIP_EXTRA_INDEX_URL"] == "https://a.example https://b.example"
    assert "PIP_TIMEOUT" not in variables, "the chosen file replaces the user's"


def test_an_unreadable_file_is_named(pip_variables, home):
    write(home / ".pip/pip.conf", "no section\n")
    with pytest.raises(IsolateError, match=r"\.pip/pip\.conf: "):
        pip_variables()


def test_two_names_of_one_option_are_one_setting(pip_variables, home):
    write(home / ".pip/pip.conf", "[global]\ntimeout = 3\n")
    assert pip_variables()["PIP_TIMEOUT"] == "3"
    variables = pip_variables(PIP_DEFAULT_TIMEOUT="4")
    assert (variables["PIP_TIMEOUT"], "PIP_DEFAULT_TIMEOUT" in variables) == ("4", False)


def test_a_value_of_several_lines_becomes_one_line(pip_variables, home):
    write(home / ".config/pip/pip.conf", "[install]\nextra_index_url =\n    https://a.example\n    https://b.example\n")
    assert pip_variables()["PIP_EXTRA_INDEX_URL"] == "https://a.example https://b.example"


def test_a_percent_sign_is_literal(pip_variables, home):
    write(home / ".config/pip/pip.conf", "[global]\nindex-url = https://a:b%40c@host/%(x)s\n")
    assert pip_variables()["PIP_INDEX_URL"] == "https://a:b%40c@host/%(x)s"


def test_a_relative_path_starts_from_the_current_directory(pip_variables, tmp_path, monkeypatch):
    (tmp_path / "wheels").mkdir()
    monkeypatch.chdir(tmp_path)
    links = "wheels https://host/wheels ~/wheels"
    variables = pip_variables(PIP_FIND_LINKS=links, PIP_CERT="./wheels", PIP_PROXY="wheels")
    assert variables["PIP_FIND_LINKS"] == f"{tmp_path}/wheels https://host/wheels ~/wheels"
    assert variables["PIP_CERT"] == f"{tmp_path}/wheels"
    assert variables["PIP_PROXY"] == "wheels"


def test_offline_removes_indexes_and_remote_links(pip_variables):
    links = "https://a.example /wheels file:///more git+https://b.example"
    variables = pip_variables(
        offline=True, PIP_INDEX_URL="https://a", PIP_EXTRA_INDEX_URL="https://b", PIP_FIND_LINKS=links
    )
    assert (variables["PIP_NO_INDEX"], variables["PIP_FIND_LINKS"]) == ("1", "/wheels file:///more")
    assert not {"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"} & set(variables)
    assert "PIP_FIND_LINKS" not in pip_variables(offline=True, PIP_FIND_LINKS="https://a.example")


def test_a_missing_home_is_not_an_error(tmp_path):
    assert pip_environment({}, prefix=tmp_path)["PIP_CONFIG_FILE"] == os.devnull
    assert pip_environment({"PIP_CONFIG_FILE": os.devnull}, prefix=tmp_path)["PIP_NO_INPUT"] == "1"


def test_pip_has_every_allowed_option():
    argv = [sys.executable, "-I", "-m", "pip", "install", "--help"]
    finished = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert {option for option in ALLOWED_OPTIONS if f"--{option}" not in finished.stdout} == set()


PRINT_OPTIONS = """
from pip._internal.commands import create_command
for command in ("install", "download"):
    for option in create_command(command).parser.option_list_all:
        print(*(name[2:] for name in option._long_opts))
"""


@pytest.mark.parametrize("version", PIPS)
def test_every_option_of_pip_is_allowed_or_blocked(version):
    python = python_with_pip(version)
    finished = subprocess.run([python, "-I", "-c", PRINT_OPTIONS], capture_output=True, text=True, check=True)
    assert set(finished.stdout.split()) - ALLOWED_OPTIONS - BLOCKED_OPTIONS == set()


@pytest.mark.parametrize("name", ["PIP_TOKEN", "PIP_MY_TARGET", "PYTHON_INDEX_PASSWORD", "CONDA_TOKEN"])
def test_a_variable_in_a_declaration_reaches_pip(tmp_path, name):
    assert name not in pip_environment({name: "secret"}, prefix=tmp_path)
    assert pip_environment({name: "secret"}, prefix=tmp_path, variable_names={name})[name] == "secret"


@pytest.mark.parametrize("name", [*BLOCKED, "PIP_REQ_TRACKER"])
def test_a_blocked_variable_in_a_declaration_does_not_reach_pip(tmp_path, name):
    environ = {name: "/x", "PIP_CONFIG_FILE": os.devnull}
    variables = pip_environment(environ, prefix=tmp_path, variable_names={name})
    assert name not in variables or name == "PIP_SOMETHING_NEW", "no pip has that option: it is the user's variable"
