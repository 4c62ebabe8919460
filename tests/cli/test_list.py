"""`isolate list` describes applications, and selects those that changed since a revision."""

from __future__ import annotations

import json
import os
import sys

import pytest

from kit.git import commit, git
from kit.records import record_table

pytestmark = pytest.mark.store("warm")


def names(isolate, directory, *more):
    return isolate("list", "--all", *more, cwd=directory).out.splitlines()


def test_list_shows_the_python_that_a_sync_would_use(isolate, repository):
    application = repository / "tools"

    def interpreter():
        document = json.loads(isolate("list", "--all", "--json", cwd=repository).out)
        return {part["application"]: part["interpreter"] for part in document["applications"]}["tools"]

    expected = interpreter()
    isolate("sync", "-q", application)
    assert (
        expected == interpreter() == record_table(application / ".venv/.isolate/state.json")["interpreter"]["version"]
    )
    (application / ".python-version").write_text("3.1\n")
    assert interpreter() is None


def test_list_has_a_key_that_changes_with_declarations_and_locks(isolate, repository):
    def keys():
        document = json.loads(isolate("list", "--all", "--json", cwd=repository).out)
        return {part["application"]: part["key"] for part in document["applications"]}

    before = keys()
    assert len(set(before.values())) == 3
    (repository / "services/shop/main.py").write_text("")
    assert keys() == before
    isolate("lock", repository / "tools", "-q")
    after = keys()
    assert {name for name in before if before[name] != after[name]} == {"tools"}
    (repository / ".python-version").write_text(f"{sys.version_info.major}.{sys.version_info.minor}\n")
    assert {name for name, key in keys().items() if key != after[name]} == set(after)


def test_list_selects_applications_that_changed_since_a_revision(isolate, repository):
    git(repository, "init")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "all")
    assert names(isolate, repository, "--changed-since", "HEAD") == []
    (repository / "services/shop/admin/main.py").write_text("")
    (repository / "README").write_text("")
    assert names(isolate, repository, "--changed-since", "HEAD") == ["services/shop/admin"]
    (repository / "tools/pyproject.toml").write_text('[project]\nname = "other"\n')
    git(repository, "commit", "-a", "-m", "more")
    assert names(isolate, repository, "--changed-since", "HEAD") == ["services/shop/admin"]
    assert names(isolate, repository, "--changed-since", "HEAD~1") == ["services/shop/admin", "tools"]
    result = isolate("list", "--all", "--changed-since", "nothing", cwd=repository, status=2)
    assert "git rev-parse failed" in result.err
    assert "hint: name a revision that git knows" in result.err


OTHER_OWNER = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
"""The variable that makes git treat a repository as that of another user."""


@pytest.mark.parametrize("more", [[], ["--changed-since", "HEAD"]])
def test_a_repository_that_git_rejects_is_reported_with_the_remedy_of_git(isolate, repository, more):
    git(repository, "init")
    result = isolate("list", "--all", *more, cwd=repository, status=2, env=OTHER_OWNER)
    assert f"hint: git config --global --add safe.directory {repository}" in result.err.splitlines()
    assert "revision" not in result.err


def test_a_repository_that_git_cannot_read_is_not_blamed_on_the_revision(isolate, repository):
    (repository / ".git").write_text("gitdir: nowhere\n")
    result = isolate("list", "--all", "--changed-since", "HEAD", cwd=repository, status=2)
    assert "git rev-parse failed" in result.err
    assert "nowhere" in result.err
    assert "revision" not in result.err


@pytest.mark.parametrize("kind", ["a new commit of the submodule", "an uncommitted file"])
def test_an_application_in_a_submodule_changes_with_it(isolate, superproject, kind):
    commit(superproject / "sub")
    git(superproject, "add", "--all")
    git(superproject, "commit", "-m", "once more")
    assert names(isolate, superproject, "--changed-since", "HEAD") == []
    (superproject / "sub/in/requirements.txt").write_text("alpha\n")
    if kind == "a new commit of the submodule":
        commit(superproject / "sub")
        commit(superproject / "sub")
        commit(superproject)
        assert names(isolate, superproject, "--changed-since", "HEAD") == []
        assert names(isolate, superproject, "--changed-since", "HEAD~1") == ["sub/in"]
    else:
        assert names(isolate, superproject, "--changed-since", "HEAD") == ["sub/in"]


def test_both_sides_of_a_rename_have_changed(isolate, application):
    application({"requirements.txt": "", "notes": "the same\n" * 50}, name="repo/a")
    root = application({"requirements.txt": ""}, name="repo/b").parent
    git(root, "init")
    commit(root)
    git(root, "mv", "a/notes", "b/notes")
    assert names(isolate, root, "--changed-since", "HEAD") == ["a", "b"]


@pytest.mark.parametrize("shared", ["common.txt", "b/common.txt", ".python-version"])
@pytest.mark.parametrize("change", ["written", "deleted"])
def test_a_file_that_an_application_reads_elsewhere_counts_as_its_own(isolate, application, shared, change):
    application({"requirements.txt": "-r link.txt\n-r ../b/common.txt\n"}, name="repo/a")
    application({"requirements.txt": "", "common.txt": "beta\n"}, name="repo/b")
    root = application({"common.txt": "alpha\n", ".python-version": "3\n"}, name="repo")
    (root / "a/link.txt").symlink_to("../common.txt")
    application({"pyproject.toml": '[project]\nname = "c"\n[tool.isolate]\npython = "3"\n'}, name="repo/c")
    git(root, "init")
    commit(root)
    if change == "written":
        (root / shared).write_text("3.11\n" if shared == ".python-version" else "gamma\n")
    else:
        (root / shared).unlink()
    broken = shared != ".python-version" and change == "deleted"
    result = isolate("list", "--all", "--changed-since", "HEAD", cwd=root, status=2 if broken else 0)
    changed = {"common.txt": ["a"], "b/common.txt": ["a", "b"], ".python-version": ["a", "b"]}[shared]
    assert result.out.splitlines() == [name for name in changed if name != "a" or not broken]
    assert ("a: error: " in result.err) == broken


def test_a_revision_is_never_taken_for_an_option_of_git(isolate, repository, tmp_path):
    git(repository, "init")
    commit(repository)
    (tmp_path / "mine").write_text("mine")
    for wrong in (f"--output={tmp_path / 'mine'}", "--cached", ""):
        result = isolate("list", "--all", f"--changed-since={wrong}", cwd=repository, status=2)
        assert "hint: name a revision that git knows" in result.err
    assert (tmp_path / "mine").read_text() == "mine"


def test_applications_in_several_repositories_are_compared_in_their_own(isolate, application):
    root = application({"requirements.txt": ""}, name="root/one").parent
    application({"requirements.txt": ""}, name="root/two")
    for name in ("one", "two"):
        git(root / name, "init")
        commit(root / name)
    assert names(isolate, root, "--changed-since", "HEAD") == []
    (root / "two/requirements.txt").write_text("alpha\n")
    assert names(isolate, root, "--changed-since", "HEAD") == ["two"]


def test_changed_since_needs_a_git_repository(isolate, application):
    app = application({"requirements.txt": ""})
    result = isolate("list", "--changed-since", "HEAD", cwd=app, status=2)
    assert "is not in a git repository" in result.err
    assert "revision" not in result.err


def test_a_shim_that_fails_is_asked_once_for_all_applications(isolate, application, tmp_path, monkeypatch):
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for number in range(6):
        application({"requirements.txt": "", ".python-version": f"{version}\n"}, name=f"many/app{number}")
    log, shims = tmp_path / "log", tmp_path / "shims"
    shims.mkdir()
    for name in ("python", "python3", f"python{version}"):
        (shims / name).write_text(f"#!/bin/sh\necho {name} >> {log}\nexit 127\n")
        (shims / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{shims}{os.pathsep}{os.environ['PATH']}")

    def asked():
        log.unlink(missing_ok=True)
        document = json.loads(isolate("list", "--all", "--json", cwd=tmp_path / "many").out)
        assert all(part["interpreter"].startswith(version) for part in document["applications"])
        return sorted(log.read_text().split())

    # python-discovery starts a program that fails twice.
    assert asked() == [f"python{version}"] * 2
    assert asked() == [f"python{version}"] * 2, "a shim may work the next time"


def test_the_pythons_of_the_machine_are_searched_once_for_all_applications(isolate, application, tmp_path, monkeypatch):
    for number in range(6):
        application({"requirements.txt": "", ".python-version": "3.99\n"}, name=f"many/app{number}")
    log = tmp_path / "log"
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin/python3"
    python.write_text(f'#!/bin/sh\necho run >> {log}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    isolate("list", "--all", cwd=tmp_path / "many")
    assert len(log.read_text().split()) == 2, "once as python3 on PATH, and once in the search for all"
