"""What of the user's settings reaches pip: where things come from does, where they go to does not."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pips import PIPS

import pip
from isolate.errors import IsolateError
from isolate.pip.settings import ALLOWED, BLOCKED_OPTIONS, FORCED_SETTINGS, config_files, pip_environment, read_config

NOWHERE = Path("/nowhere")


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def passed(home, tmp_path):
    """Return what passes variables on, from a machine without settings of its own."""

    def passing(*, offline=False, prefix=tmp_path / "venv", **environ):
        everything = {"HOME": str(home), "XDG_CONFIG_DIRS": str(tmp_path / "xdg"), **environ}
        return pip_environment(everything, prefix=prefix, offline=offline)

    return passing


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


SOURCES = {
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
ASTRAY = [
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


@pytest.mark.parametrize("name", SOURCES)
def test_what_says_where_things_come_from_or_how_they_are_built_reaches_pip(passed, name):
    assert passed(**{name: SOURCES[name]})[name] == SOURCES[name]


@pytest.mark.parametrize("name", ASTRAY)
def test_what_leads_astray_does_not(passed, name):
    assert name not in passed(**{name: "1"})


@pytest.mark.parametrize("name", ASTRAY)
def test_what_leads_astray_does_not_from_a_file_either(passed, home, name):
    option = name.removeprefix("PIP_").lower().replace("_", "-")
    write(home / ".config/pip/pip.conf", f"[global]\n{option} = 1\n[install]\n{option} = 1\n")
    assert name not in passed()


@pytest.mark.parametrize("name", FORCED_SETTINGS)
def test_how_pip_talks_is_ours_to_say(passed, name):
    chosen = passed(**{name: "/dev/null" if name == "PIP_CONFIG_FILE" else "user"})
    assert chosen[name] == FORCED_SETTINGS[name]


def test_two_names_of_one_option_do_not_contradict_each_other(passed, home):
    write(home / ".pip/pip.conf", "[global]\ntimeout = 3\n")
    assert passed()["PIP_TIMEOUT"] == "3"
    found = passed(PIP_DEFAULT_TIMEOUT="4")
    assert (found["PIP_TIMEOUT"], "PIP_DEFAULT_TIMEOUT" in found) == ("4", False)


def test_a_value_of_several_lines_becomes_one(passed, home):
    write(home / ".config/pip/pip.conf", "[install]\nextra_index_url =\n    https://a.example\n    https://b.example\n")
    assert passed()["PIP_EXTRA_INDEX_URL"] == "https://a.example https://b.example"


def test_a_percent_sign_is_nothing_special(passed, home):
    write(home / ".config/pip/pip.conf", "[global]\nindex-url = https://a:b%40c@host/%(x)s\n")
    assert passed()["PIP_INDEX_URL"] == "https://a:b%40c@host/%(x)s"


def test_a_relative_path_is_meant_from_here(passed, tmp_path, monkeypatch):
    (tmp_path / "wheels").mkdir()
    monkeypatch.chdir(tmp_path)
    found = passed(PIP_FIND_LINKS="wheels https://host/wheels ~/wheels", PIP_CERT="./wheels", PIP_PROXY="wheels")
    assert found["PIP_FIND_LINKS"] == f"{tmp_path}/wheels https://host/wheels ~/wheels"
    assert found["PIP_CERT"] == f"{tmp_path}/wheels"
    assert found["PIP_PROXY"] == "wheels"


def test_offline_leaves_no_index_and_only_links_that_lie_here(passed):
    links = "https://a.example /wheels file:///more git+https://b.example"
    found = passed(offline=True, PIP_INDEX_URL="https://a", PIP_EXTRA_INDEX_URL="https://b", PIP_FIND_LINKS=links)
    assert (found["PIP_NO_INDEX"], found["PIP_FIND_LINKS"]) == ("1", "/wheels file:///more")
    assert not {"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"} & set(found)
    assert "PIP_FIND_LINKS" not in passed(offline=True, PIP_FIND_LINKS="https://a.example")


def test_without_a_home_the_one_that_the_system_knows_counts(tmp_path):
    files = list(config_files({"XDG_CONFIG_DIRS": str(tmp_path)}, tmp_path))
    assert Path(pwd.getpwuid(os.getuid()).pw_dir, ".pip/pip.conf") in files
    assert pip_environment({"PIP_CONFIG_FILE": os.devnull}, prefix=tmp_path)["PIP_NO_INPUT"] == "1"


def test_the_null_device_as_file_means_no_file_at_all():
    assert list(config_files({"PIP_CONFIG_FILE": os.devnull, "HOME": "/home/a"}, NOWHERE)) == []


@pytest.mark.parametrize("content", [b"no section\n", b"[global]\nno value\n", b"[a]\nb=\xff\n", b"[a]\n[a]\n", b"[\n"])
def test_a_broken_file_is_named(passed, home, content):
    path = write(home / ".pip/pip.conf", "")
    path.write_bytes(content)
    with pytest.raises(IsolateError) as broken:
        passed()
    assert broken.value.problem.startswith(f"{path}: pip's configuration cannot be read: ")
    assert "\n" not in broken.value.problem
    assert broken.value.hint


def test_a_directory_in_place_of_a_file_is_named(passed, home):
    (home / ".pip/pip.conf").mkdir(parents=True)
    with pytest.raises(IsolateError, match=r"\.pip/pip\.conf: "):
        passed()


def test_a_file_below_a_file_is_no_file(passed, home):
    write(home / ".pip", "not a directory")
    assert "PIP_INDEX_URL" not in passed()


@given(st.text())
def test_any_text_is_a_configuration_or_is_refused_with_words(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("any") / "pip.conf"
    path.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
    try:
        read_config(path)
    except IsolateError as error:
        assert error.hint


SCENARIOS = {
    "one file for the machine": {"xdg": "[global]\nindex-url = URL\n"},
    "the user overrides the machine": {"xdg": "[global]\nindex-url = NO\n", "user": "[global]\nindex-url = URL\n"},
    "the newer place of the user counts": {"legacy": "[global]\nindex-url=NO\n", "user": "[global]\nindex-url=URL\n"},
    "the older place of the user counts": {"legacy": "[global]\nindex-url = URL\n"},
    "the environment overrides the user": {"user": "[global]\nindex-url = NO\n", "venv": "[global]\nindex-url=URL\n"},
    "a file of one's own overrides all": {"venv": "[global]\nindex-url = NO\n", "own": "[global]\nindex-url = URL\n"},
    "a file of one's own stands in for the user's": {
        "xdg": "[global]\nindex-url = URL\n",
        "user": "[global]\nindex-url = NO\n",
        "own": "[install]\npre = no\n",
    },
    "a command overrides the rest of its file": {"user": "[install]\nindex-url = URL\n[global]\nindex-url = NO\n"},
    "a command overrides a later file": {"xdg": "[install]\nindex-url=URL\n", "user": "[global]\nindex-url=NO\n"},
    "another command has no say": {"user": "[global]\nindex-url = URL\n[list]\nindex-url = NO\n"},
    "nothing is nothing": {"xdg": "[global]\nindex-url = URL\n", "user": "[install]\nindex-url =\n"},
    "an underscore is a dash": {"user": "[global]\nindex_url = URL\n"},
    "capitals are small": {"user": "[global]\nIndex-Url = URL\n"},
    "more than one": {"user": "[global]\nindex-url = URL\nextra-index-url = URL/a\n    URL/b\n"},
    "a variable overrides files": {"user": "[install]\nindex-url = NO\n", "PIP_INDEX_URL": "URL"},
    "an empty variable is none": {"user": "[install]\nindex-url = URL\n", "PIP_INDEX_URL": ""},
}


@pytest.fixture(scope="module")
def venv(tmp_path_factory):
    path = tmp_path_factory.mktemp("surroundings") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", path], check=True)
    return path


def looked_in(venv, environ):
    """Return what our pip says about its indexes when it is run from *venv* in *environ*."""
    site = str(Path(pip.__file__).parents[1])
    code = f"import sys, runpy; sys.path.append({site!r}); runpy.run_module('pip', run_name='__main__')"
    argv = [venv / "bin/python", "-I", "-c", code, "install", "--dry-run", "--retries=0", "no-such-thing"]
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)
    assert "No matching distribution" in done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("Looking in")]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_pip_looks_where_it_would_have_looked_by_itself(tmp_path, home, venv, scenario):
    files = {
        "xdg": tmp_path / "xdg/pip/pip.conf",
        "legacy": home / ".pip/pip.conf",
        "user": home / ".config/pip/pip.conf",
        "venv": venv / "pip.conf",
        "own": tmp_path / "own.conf",
    }
    environ = {"HOME": str(home), "XDG_CONFIG_DIRS": str(tmp_path / "xdg"), "PATH": os.environ["PATH"]}
    environ |= {"PIP_CACHE_DIR": str(tmp_path / "cache"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    files["venv"].unlink(missing_ok=True)
    for name, text in SCENARIOS[scenario].items():
        said = text.replace("URL", "http://127.0.0.1:9").replace("NO", "http://127.0.0.1:10")
        if name in files:
            write(files[name], said)
        else:
            environ[name] = said
    if files["own"].exists():
        environ["PIP_CONFIG_FILE"] = str(files["own"])
    by_itself = looked_in(venv, environ)
    assert looked_in(venv, pip_environment(environ, prefix=venv)) == by_itself
    assert "127.0.0.1:9" in by_itself[0]
    assert "127.0.0.1:10" not in by_itself[0]


def test_every_setting_that_is_allowed_is_an_option_of_pip():
    done = subprocess.run(
        [sys.executable, "-I", "-m", "pip", "install", "--help"], capture_output=True, text=True, check=True
    )
    assert {option for option in ALLOWED if f"--{option}" not in done.stdout} == set()


OPTIONS = """
from pip._internal.commands import create_command
for command in ("install", "download"):
    for option in create_command(command).parser.option_list_all:
        print(*(name[2:] for name in option._long_opts))
"""


@pytest.mark.parametrize("python", PIPS)
def test_every_option_of_pip_is_known_as_one(python):
    done = subprocess.run([python, "-I", "-c", OPTIONS], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) - ALLOWED - BLOCKED_OPTIONS == set()


@pytest.mark.parametrize("name", ["PIP_TOKEN", "PIP_MY_TARGET", "PYTHON_INDEX_PASSWORD", "CONDA_TOKEN"])
def test_a_variable_that_declarations_name_reaches_pip(tmp_path, name):
    assert name not in pip_environment({name: "secret"}, prefix=tmp_path)
    assert pip_environment({name: "secret"}, prefix=tmp_path, named={name})[name] == "secret"


@pytest.mark.parametrize("name", [*ASTRAY, "PIP_REQ_TRACKER"])
def test_what_leads_astray_does_not_even_if_declarations_name_it(tmp_path, name):
    environ = {name: "/x", "PIP_CONFIG_FILE": os.devnull}
    reaching = pip_environment(environ, prefix=tmp_path, named={name})
    assert name not in reaching or name == "PIP_SOMETHING_NEW", "that is no option of any pip yet, but the user's own"
