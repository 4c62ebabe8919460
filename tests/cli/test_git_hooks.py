"""isolate inside a git hook, where git's variables name the repository and the index of the commit."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

import pytest

from conftest import SOURCE, listing
from isolate.git import REPOSITORY_VARIABLES
from isolate.pip.settings import pip_environment
from kit.git import SETTINGS, commit, git
from kit.packages import build_tree

ISOLATE = f"{shlex.quote(sys.executable)} -m isolate"


@pytest.fixture
def requirement(tmp_path):
    """Return a line that requires a package from a git repository."""
    repository = build_tree(tmp_path / "tracked", "tracked", "1.0")
    git(repository, "init")
    commit(repository)
    return f"tracked @ git+{repository.as_uri()}@main\n"


@pytest.fixture
def hooked(application, cache, index):
    """Return a function that makes a repository whose hook *name* runs *script*."""
    del cache, index

    def make(script, name="pre-commit", **files):
        app = application({"source.txt": "old\n", ".gitignore": ".venv\n", **files})
        git(app, "init")
        commit(app)
        hook = app / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\nset -e\n{script}\n")
        hook.chmod(0o755)
        return app

    return make


def run_git(directory, *arguments, **variables):
    """Run git with isolate on the path of its hooks, and return what it printed."""
    environ = {**os.environ, "PYTHONPATH": str(SOURCE), **variables}
    command = ["git", *SETTINGS, *arguments]
    done = subprocess.run(command, cwd=directory, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("arguments", [("-am", "x"), ("-m", "x", "source.txt")], ids=["all", "partial"])
def test_a_commit_whose_hook_syncs_a_git_requirement_has_its_own_tree(hooked, requirement, arguments):
    app = hooked(f"{ISOLATE} sync", **{"requirements.txt": requirement})
    (app / "source.txt").write_text("new\n")
    run_git(app, "commit", *arguments)
    committed = run_git(app, "ls-tree", "-r", "--name-only", "HEAD").split()
    assert [name for name in committed if name != "pylock.toml"] == [".gitignore", "requirements.txt", "source.txt"]
    assert run_git(app, "show", "HEAD:source.txt") == "new\n"
    assert any((app / ".venv").glob("lib/*/site-packages/tracked/__init__.py"))
    run_git(app, "fsck", "--strict")


def test_a_build_in_a_hook_asks_git_about_its_own_source(hooked, application, tmp_path):
    """As setuptools-scm does: a build asks git about the tree that it is in."""
    seen = tmp_path / "seen"
    ask = f"import subprocess; open({str(seen)!r}, 'w').write(subprocess.run(['git', 'ls-files'], text=True, "
    tree = build_tree(tmp_path / "library", "library", "1.0", on_build=f"{ask}capture_output=True).stdout)")
    git(tree, "init")
    commit(tree)
    app = hooked(f"{ISOLATE} sync", **{"requirements.txt": f"{tree}\n"})
    (app / "source.txt").write_text("new\n")
    run_git(app, "commit", "-am", "x")
    assert "on_build.py" in seen.read_text().split()


def test_a_hook_that_asks_what_has_changed_gets_the_answer_of_its_repository(hooked, tmp_path):
    found = tmp_path / "found"
    app = hooked(f"{ISOLATE} list --all --changed-since HEAD > {shlex.quote(str(found))}", **{"requirements.txt": ""})
    before = listing(app / ".git/objects")
    (app / "requirements.txt").write_text("# new\n")
    run_git(app, "commit", "-am", "x")
    assert found.read_text().startswith(".")
    assert run_git(app, "show", "HEAD:requirements.txt") == "# new\n"
    assert listing(app / ".git/objects") != before


def test_git_of_another_repository_gets_no_variable_that_git_calls_local(tmp_path):
    """All but the settings: CI passes tokens with them, and git itself passes them on to submodules."""
    local = set(run_git(tmp_path, "rev-parse", "--local-env-vars").split())
    assert local - REPOSITORY_VARIABLES == {"GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT"}


def test_pip_gets_the_settings_and_credentials_of_git(tmp_path):
    passed = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "url.https://token@host/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://host/",
        "GIT_CONFIG_PARAMETERS": "'http.extraheader'='x'",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_SSH": "ssh",
        "GIT_SSH_COMMAND": "ssh -i key",
        "GIT_ASKPASS": "ask",
    }
    environ = {**passed, **dict.fromkeys(REPOSITORY_VARIABLES, "x")}
    reached = pip_environment(environ, prefix=tmp_path)
    assert {name: value for name, value in reached.items() if name.startswith("GIT_")} == passed
