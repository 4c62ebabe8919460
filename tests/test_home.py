"""The home directory, known or not."""

from __future__ import annotations

import os
import pwd
import sys

import pytest

from conftest import SOURCE
from isolate.home import NoHomeDirectory, expand_home, home_directory, with_absolute_directories
from isolate.pip.settings import pip_environment

ROOT_HOME = pwd.getpwuid(0).pw_dir
UNKNOWN = "import pwd\ndef unknown(uid): raise KeyError(uid)\npwd.getpwuid = unknown\n"
"""Makes this user one that the user database lacks, as in a container that runs under an arbitrary uid."""


@pytest.fixture
def unlisted(mocker):
    mocker.patch("pwd.getpwuid", side_effect=KeyError)


@pytest.mark.parametrize("home", ["", "relative", "."])
def test_a_home_that_is_not_absolute_is_that_of_the_user_database(home):
    listed = pwd.getpwuid(os.getuid()).pw_dir
    assert home_directory({"HOME": home}) == home_directory({}) == listed
    assert home_directory({"HOME": "/elsewhere"}) == "/elsewhere"


def test_a_user_without_an_entry_has_only_the_home_of_the_variable(unlisted):
    del unlisted
    assert home_directory({"HOME": "relative"}) is None
    assert home_directory({"HOME": "/home"}) == "/home"


@pytest.mark.parametrize(
    ("path", "expanded"),
    [
        ("~", "/h"),
        ("~/a b", "/h/a b"),
        ("~root", ROOT_HOME),
        ("~root/a", f"{ROOT_HOME}/a"),
        ("a/~", "a/~"),
        ("/a/~/b", "/a/~/b"),
        ("", ""),
    ],
)
def test_a_home_directory_is_expanded(path, expanded):
    assert expand_home("NAME", path, {"HOME": "/h"}) == expanded
    assert expand_home("NAME", "~/a", {"HOME": "/"}) == "/a"


def test_an_unknown_home_directory_is_an_error_that_names_the_variable_to_set(unlisted):
    del unlisted
    with pytest.raises(NoHomeDirectory, match=r"CACHE is ~/x.*\n.*set HOME"):
        expand_home("CACHE", "~/x", {})
    with pytest.raises(NoHomeDirectory, match=r"~no-such-user is not known\n.*set CACHE"):
        expand_home("CACHE", "~no-such-user/x", {"HOME": "/h"})


def test_a_program_in_another_directory_gets_no_relative_directories(unlisted):
    del unlisted
    environ = {"HOME": "here", "XDG_CACHE_HOME": "cache", "XDG_CONFIG_HOME": "/config", "OTHER": "rest"}
    assert with_absolute_directories(environ) == {"XDG_CONFIG_HOME": "/config", "OTHER": "rest"}


def test_pip_creates_no_cache_in_the_directory_it_is_run_in(unlisted, tmp_path, monkeypatch):
    del unlisted
    monkeypatch.chdir(tmp_path)
    assert "HOME" not in pip_environment({"HOME": ""}, prefix=tmp_path)
    relative = pip_environment({"HOME": "/h", "PIP_CACHE_DIR": "new"}, prefix=tmp_path)
    assert relative["PIP_CACHE_DIR"] == f"{tmp_path}/new"
    assert pip_environment({"HOME": "/h", "PIP_CACHE_DIR": "~/new"}, prefix=tmp_path)["PIP_CACHE_DIR"] == "~/new"


@pytest.fixture
def nobody(tmp_path):
    """Return the variables for a run by a user without an entry in the user database and without a cache."""
    (tmp_path / "patch").mkdir()
    (tmp_path / "patch/sitecustomize.py").write_text(UNKNOWN)
    return {"PYTHONPATH": f"{tmp_path}/patch{os.pathsep}{SOURCE}", "ISOLATE_CACHE_DIR": ""}


@pytest.mark.parametrize("home", ["", "relative"])
@pytest.mark.parametrize("command", ["sync", "check", "status", "list", "store path", "store gc", "lock"])
def test_a_user_without_a_home_is_told_which_variable_to_set(isolate, application, nobody, command, home):
    app = application({"requirements.txt": "alpha\n"})
    result = isolate(*command.split(), cwd=app, status=2, env={**nobody, "HOME": home})
    assert "set ISOLATE_CACHE_DIR" in result.err
    assert sorted(path.name for path in app.iterdir()) == ["requirements.txt"]


def test_a_user_without_a_home_can_name_the_cache_and_pip_leaves_nothing(isolate, application, nobody, index, cache):
    del index
    app = application({"requirements.txt": "alpha\n"})
    isolate("sync", cwd=app, env={**nobody, "HOME": "", "ISOLATE_CACHE_DIR": str(cache), "XDG_CACHE_HOME": "c"})
    assert sorted(path.name for path in app.iterdir()) == [".venv", "pylock.toml", "requirements.txt"]


@pytest.mark.skipif(sys.platform == "darwin", reason="users are elsewhere there")
def test_the_cache_directory_may_begin_with_a_tilde(isolate, isolated_home, tmp_path):
    result = isolate("store", "path", cwd=tmp_path, env={"ISOLATE_CACHE_DIR": "~/my cache"})
    assert result.out.strip() == f"{isolated_home}/my cache/store-v1"
    error = isolate("store", "path", cwd=tmp_path, env={"ISOLATE_CACHE_DIR": "~nobody-here/c"}, status=2).err
    assert "set ISOLATE_CACHE_DIR" in error
    relative = isolate("store", "path", cwd=tmp_path, env={"ISOLATE_CACHE_DIR": "rel"}).out
    assert relative.strip() == f"{tmp_path}/rel/store-v1"
