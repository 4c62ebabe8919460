"""`--all` finds the applications of a repository, and nothing else."""

from __future__ import annotations

import pytest

from kit.git import commit, git

pytestmark = pytest.mark.store("warm")


def names(isolate, directory, *more):
    return isolate("list", "--all", *more, cwd=directory).out.splitlines()


def test_all_applications_and_no_other_directories_are_found(isolate, repository):
    assert names(isolate, repository) == ["services/shop", "services/shop/admin", "tools"]
    assert isolate("list", "--all", repository / "tools").out.splitlines() == ["repo/tools"]


def test_ignored_directories_are_skipped(isolate, repository):
    git(repository, "init")
    (repository / ".gitignore").write_text("/tools/\n")
    assert names(isolate, repository) == ["services/shop", "services/shop/admin"]


@pytest.mark.parametrize("number", [3, 100])
def test_git_is_asked_about_any_number_of_directories(isolate, application, number):
    paths = [f"{'long' * 12}/{index:03}" for index in range(number)]
    for name in paths:
        application({"requirements.txt": ""}, name=f"repo/{name}")
    root = application({".gitignore": "002\n"}, name="repo")
    git(root, "init")
    assert names(isolate, root) == [name for name in paths if not name.endswith("002")]


def test_without_git_nothing_is_ignored(isolate, repository, tmp_path):
    git(repository, "init")
    (repository / ".gitignore").write_text("/tools/\n")
    found = isolate("list", "--all", cwd=repository, env={"PATH": str(tmp_path / "nothing")}).out
    assert found.splitlines() == ["services/shop", "services/shop/admin", "tools"]


def test_settings_of_the_root_narrow_what_is_found(isolate, repository):
    (repository / "pyproject.toml").write_text('[tool.isolate]\nexclude = ["services/*/admin"]\n')
    assert names(isolate, repository) == ["services/shop", "tools"]
    (repository / "pyproject.toml").write_text('[tool.isolate]\napplications = ["services/*"]\n')
    assert names(isolate, repository) == ["services/shop"]


def test_it_is_an_error_if_there_are_no_applications(isolate, tmp_path):
    (tmp_path / "empty").mkdir()
    result = isolate("sync", "--all", cwd=tmp_path / "empty", status=2)
    assert "no application in" in result.err


@pytest.mark.parametrize("text", ["", "[tool.isolate]\napplications = ['services/*']\n", None])
def test_the_hint_for_a_root_that_is_not_an_application_names_all(isolate, repository, text):
    (repository / "pyproject.toml").unlink()
    if text is not None:
        (repository / "pyproject.toml").write_text(text)
    for command in (["sync"], ["check"], ["sync", "--json"], ["sync", repository], ["run", "--", "true"]):
        result = isolate(*command, cwd=repository, status=2)
        assert "no declarations in" in result.err
        assert "hint: run `isolate sync --all` to sync all applications below this directory" in result.err
    assert not (repository / ".venv").exists()


def test_invalid_settings_of_the_root_fail_the_command(isolate, repository):
    (repository / "pyproject.toml").write_text("[tool.isolate]\napplications = 1\n")
    assert "pyproject.toml:2: " in isolate("list", "--all", cwd=repository, status=2).err


@pytest.mark.parametrize("pattern", ["/abs/*", ""])
def test_an_invalid_pattern_is_refused_with_its_file(isolate, repository, pattern):
    (repository / "pyproject.toml").write_text(f'[tool.isolate]\napplications = ["services/*", "{pattern}"]\n')
    result = isolate("list", "--all", cwd=repository, status=2)
    assert result.err.startswith(f"error: {repository}/pyproject.toml: tool.isolate.applications: `{pattern}` ")


def test_the_root_can_be_named_among_the_applications(isolate, repository):
    (repository / "pyproject.toml").write_text('[tool.isolate]\napplications = [".", "services/*"]\n')
    (repository / "requirements.txt").write_text("")
    assert names(isolate, repository) == [".", "services/shop"]


@pytest.mark.parametrize("pattern", ["*", "./*", "link", "*/../*"])
def test_a_directory_with_several_names_is_one_application(isolate, application, pattern):
    application({"requirements.txt": "alpha==1.0\n"}, name="repo/real")
    root = application({"pyproject.toml": f'[tool.isolate]\napplications = ["{pattern}"]\n'}, name="repo")
    (root / "link").symlink_to("real")
    (root / "alias").symlink_to("real")
    assert names(isolate, root) == ["link" if pattern == "link" else "real"]
    (root / "pyproject.toml").write_text('[tool.isolate]\napplications = ["./"]\n')
    assert "no application in" in isolate("list", "--all", cwd=root, status=2).err


@pytest.mark.parametrize("pattern", ["services", "./services", "services/", "./services/", "services/../services//"])
def test_an_excluded_directory_may_be_written_in_any_form(isolate, repository, pattern):
    (repository / "pyproject.toml").write_text(f'[tool.isolate]\nexclude = ["", "{pattern}"]\n')
    assert names(isolate, repository) == ["tools"]


@pytest.mark.parametrize(
    "spoil", [lambda file: file.write_text("gitdir: nowhere\n"), lambda directory: directory.mkdir()]
)
def test_nothing_is_ignored_if_git_fails(isolate, repository, spoil):
    (repository / ".gitignore").write_text("/tools/\n")
    spoil(repository / ".git")
    assert names(isolate, repository) == ["services/shop", "services/shop/admin", "tools"]


def test_each_nested_repository_decides_what_it_ignores(isolate, superproject):
    assert names(isolate, superproject) == ["own", "sub/in"]


def test_patterns_may_select_applications_elsewhere_in_the_repository(isolate, application):
    application({"requirements.txt": ""}, name="repo/elsewhere/app")
    application({"requirements.txt": ""}, name="repo/tools/app")
    application({".gitignore": "/tools/app\n"}, name="repo")
    patterns = '[tool.isolate]\napplications = ["../elsewhere/*", "../tools/*"]\n'
    tools = application({"pyproject.toml": patterns}, name="repo/tools")
    git(tools.parent, "init")
    assert names(isolate, tools) == ["../elsewhere/app"]


def test_variables_of_a_git_hook_have_no_effect(isolate, repository):
    git(repository, "init")
    (repository / ".gitignore").write_text("/services/shop/admin\n")
    commit(repository)
    found = isolate("list", "--all", cwd=repository / "services", env={"GIT_DIR": ".git", "GIT_WORK_TREE": "."}).out
    assert found.splitlines() == ["shop"]
