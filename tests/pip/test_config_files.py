"""isolate reads pip's configuration files as pip does, and names a file that it cannot read."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pip
from isolate.errors import IsolateError
from isolate.pip.config_files import config_files, read_config
from isolate.pip.settings import pip_environment


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_without_home_the_user_database_counts(tmp_path):
    paths = list(config_files({"XDG_CONFIG_DIRS": str(tmp_path)}, tmp_path))
    assert Path(pwd.getpwuid(os.getuid()).pw_dir, ".pip/pip.conf") in paths


def test_the_null_device_replaces_all_files():
    assert list(config_files({"PIP_CONFIG_FILE": os.devnull, "HOME": "/home/a"}, Path("/nowhere"))) == []


@pytest.mark.parametrize("content", [b"no section\n", b"[global]\nno value\n", b"[a]\nb=\xff\n", b"[a]\n[a]\n", b"[\n"])
def test_an_invalid_file_is_named(tmp_path, content):
    path = tmp_path / "pip.conf"
    path.write_bytes(content)
    with pytest.raises(IsolateError) as error:
        read_config(path)
    assert error.value.problem.startswith(f"{path}: cannot read pip's configuration: ")
    assert "\n" not in error.value.problem
    assert error.value.hint


def test_a_directory_instead_of_a_file_is_named(tmp_path):
    (tmp_path / "pip.conf").mkdir()
    with pytest.raises(IsolateError, match=r"/pip\.conf: cannot read"):
        read_config(tmp_path / "pip.conf")


def test_a_path_below_a_file_is_not_a_file(tmp_path):
    write(tmp_path / ".pip", "not a directory")
    assert read_config(tmp_path / ".pip/pip.conf") == {}


@given(st.text())
def test_any_text_is_read_or_is_an_error_with_a_hint(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("any") / "pip.conf"
    path.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
    try:
        read_config(path)
    except IsolateError as error:
        assert error.hint


USED, UNUSED = "http://127.0.0.1:9", "http://127.0.0.1:10"


class Scenario(NamedTuple):
    """The files that a machine has (see `paths`), and the variables that are set: pip must look at `USED` alone."""

    files: Mapping[str, str]
    variables: Mapping[str, str] = {}


SCENARIOS = {
    "a global file": Scenario({"xdg": f"[global]\nindex-url = {USED}\n"}),
    "the user's file overrides the global one": Scenario(
        {"xdg": f"[global]\nindex-url = {UNUSED}\n", "user": f"[global]\nindex-url = {USED}\n"}
    ),
    "the user's new file overrides the legacy one": Scenario(
        {"legacy": f"[global]\nindex-url = {UNUSED}\n", "user": f"[global]\nindex-url = {USED}\n"}
    ),
    "the user's legacy file": Scenario({"legacy": f"[global]\nindex-url = {USED}\n"}),
    "the environment's file overrides the user's": Scenario(
        {"user": f"[global]\nindex-url = {UNUSED}\n", "venv": f"[global]\nindex-url = {USED}\n"}
    ),
    "the chosen file overrides all others": Scenario(
        {"venv": f"[global]\nindex-url = {UNUSED}\n", "chosen": f"[global]\nindex-url = {USED}\n"}
    ),
    "the chosen file replaces the user's": Scenario(
        {
            "xdg": f"[global]\nindex-url = {USED}\n",
            "user": f"[global]\nindex-url = {UNUSED}\n",
            "chosen": "[install]\npre = no\n",
        }
    ),
    "a command overrides the rest of its file": Scenario(
        {"user": f"[install]\nindex-url = {USED}\n[global]\nindex-url = {UNUSED}\n"}
    ),
    "a command overrides a later file": Scenario(
        {"xdg": f"[install]\nindex-url = {USED}\n", "user": f"[global]\nindex-url = {UNUSED}\n"}
    ),
    "another command is ignored": Scenario({"user": f"[global]\nindex-url = {USED}\n[list]\nindex-url = {UNUSED}\n"}),
    "an empty value is ignored": Scenario(
        {"xdg": f"[global]\nindex-url = {USED}\n", "user": "[install]\nindex-url =\n"}
    ),
    "an underscore is a dash": Scenario({"user": f"[global]\nindex_url = {USED}\n"}),
    "case is ignored": Scenario({"user": f"[global]\nIndex-Url = {USED}\n"}),
    "several values": Scenario({"user": f"[global]\nindex-url = {USED}\nextra-index-url = {USED}/a\n    {USED}/b\n"}),
    "a variable overrides files": Scenario({"user": f"[install]\nindex-url = {UNUSED}\n"}, {"PIP_INDEX_URL": USED}),
    "an empty variable is ignored": Scenario({"user": f"[install]\nindex-url = {USED}\n"}, {"PIP_INDEX_URL": ""}),
}


@pytest.fixture(scope="module")
def venv(tmp_path_factory):
    path = tmp_path_factory.mktemp("config-files") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", path], check=True)
    return path


@pytest.fixture
def paths(tmp_path, venv):
    """Return the path of each configuration file; `chosen` is the one that `PIP_CONFIG_FILE` may name."""
    yield {
        "xdg": tmp_path / "xdg/pip/pip.conf",
        "legacy": tmp_path / "home/.pip/pip.conf",
        "user": tmp_path / "home/.config/pip/pip.conf",
        "venv": venv / "pip.conf",
        "chosen": tmp_path / "chosen.conf",
    }
    (venv / "pip.conf").unlink(missing_ok=True)


@pytest.fixture
def environ(tmp_path):
    """Return the variables of a machine whose files are all below *tmp_path*."""
    return {
        "HOME": str(tmp_path / "home"),
        "XDG_CONFIG_DIRS": str(tmp_path / "xdg"),
        "PATH": os.environ["PATH"],
        "PIP_CACHE_DIR": str(tmp_path / "cache"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def search_locations(venv, environ):
    """Run pip from *venv* in *environ*, and return the lines in which it says where it looks."""
    site = str(Path(pip.__file__).parents[1])
    code = f"import sys, runpy; sys.path.append({site!r}); runpy.run_module('pip', run_name='__main__')"
    argv = [venv / "bin/python", "-I", "-c", code, "install", "--dry-run", "--retries=0", "no-such-thing"]
    finished = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)
    assert "No matching distribution" in finished.stderr
    return [line for line in finished.stdout.splitlines() if line.startswith("Looking in")]


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_pip_looks_in_the_same_place_as_it_would_by_itself(paths, venv, environ, scenario):
    for name, text in scenario.files.items():
        write(paths[name], text)
    environ |= scenario.variables
    if "chosen" in scenario.files:
        environ["PIP_CONFIG_FILE"] = str(paths["chosen"])

    by_itself = search_locations(venv, environ)
    assert USED in by_itself[0]
    assert UNUSED not in by_itself[0]
    assert search_locations(venv, pip_environment(environ, prefix=venv)) == by_itself
