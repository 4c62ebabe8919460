"""Many applications, one command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from conftest import SOURCE, inconsistencies, versions
from kit.packages import build_sdist


@pytest.fixture
def repository(application, index):
    """Three applications that differ, and directories that are none of the repository's own."""
    application({"requirements.txt": "alpha==1.0\n"}, name="repo/services/shop")
    application({"requirements.txt": "alpha==2.0\nbeta==2.0\n"}, name="repo/services/shop/admin")
    application({"pyproject.toml": '[project]\nname = "tool"\ndependencies = ["beta<2"]\n'}, name="repo/tools")
    application({"requirements.txt": "alpha==9.9\n"}, name="repo/node_modules/theirs")
    application({"requirements.txt": "alpha==9.9\n"}, name="repo/.hidden")
    application({"requirements.txt": "alpha==9.9\n", "pyvenv.cfg": ""}, name="repo/environment")
    return application({"pyproject.toml": "[tool.other]\nkey = 1\n"}, name="repo")


def git(folder, *arguments):
    named = ("-c", "user.name=n", "-c", "user.email=e@example.invalid", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *named, *arguments], cwd=folder, check=True, capture_output=True)


def names(isolate, folder, *more):
    return isolate("list", "--all", *more, cwd=folder).out.splitlines()


def test_all_applications_and_no_other_directories_are_found(isolate, repository):
    assert names(isolate, repository) == ["services/shop", "services/shop/admin", "tools"]
    assert isolate("list", "--all", repository / "tools").out.splitlines() == ["repo/tools"]


def test_ignored_directories_are_skipped(isolate, repository):
    git(repository, "init")
    (repository / ".gitignore").write_text("/tools/\n")
    assert names(isolate, repository) == ["services/shop", "services/shop/admin"]


@pytest.mark.parametrize("number", [3, 100])
def test_git_is_asked_about_any_number_of_directories(isolate, application, number):
    found = [f"{'long' * 12}/{one:03}" for one in range(number)]
    for name in found:
        application({"requirements.txt": ""}, name=f"repo/{name}")
    root = application({".gitignore": "002\n"}, name="repo")
    git(root, "init")
    assert names(isolate, root) == [name for name in found if not name.endswith("002")]


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


def test_each_application_gets_its_own_environment_and_a_second_sync_has_nothing_to_do(isolate, repository):
    result = isolate("sync", "--all", "-j", "2", cwd=repository)
    assert result.out.splitlines()[-1] == "3 applications: 3 updated"
    assert versions(repository / "services/shop/.venv") == {"alpha": "1.0"}
    assert versions(repository / "services/shop/admin/.venv") == {"alpha": "2.0", "beta": "2.0"}
    assert versions(repository / "tools/.venv") == {"alpha": "1.1", "beta": "1.0"}
    for name in ("services/shop", "services/shop/admin", "tools"):
        assert inconsistencies(repository / name / ".venv") == []
    again = isolate("sync", "--all", cwd=repository)
    assert again.out.splitlines()[-1] == "3 applications: 3 up to date"
    assert again.err == ""


def test_a_package_that_several_applications_lack_is_fetched_once(isolate, application, index):
    for number in range(4):
        application({"requirements.txt": "alpha==1.0\n"}, name=f"repo/{number}")
    root = application({}, name="repo")
    isolate("lock", "--all", "-q", cwd=root)
    index.requests.clear()
    isolate("sync", "--all", "-q", "-j", "4", cwd=root)
    assert index.fetched() == ["alpha-1.0-py3-none-any.whl"]


def test_a_failure_does_not_stop_the_other_applications(isolate, repository):
    (repository / "tools/pyproject.toml").write_text("[project\n")
    result = isolate("sync", "--all", cwd=repository, status=2)
    assert "tools" in result.err
    assert "not valid TOML" in result.err
    assert result.out.splitlines()[-1] == "3 applications: 2 updated, 1 failed"
    assert versions(repository / "services/shop/.venv") == {"alpha": "1.0"}


def test_json_is_one_document_for_all_applications(isolate, repository):
    (repository / "tools/pyproject.toml").write_text("[project\n")
    document = json.loads(isolate("sync", "--all", "--json", cwd=repository, status=2).out)
    assert [one["application"] for one in document["applications"]] == ["services/shop", "services/shop/admin", "tools"]
    assert [one["exit_code"] for one in document["applications"]] == [0, 0, 2]
    assert (document["command"], document["exit_code"]) == ("sync", 2)
    assert "not valid TOML" in document["applications"][2]["error"]["message"]


UNKNOWN = "[tool.isolate]\npyhton = '3'\n"


@pytest.mark.parametrize(
    ("command", "text"),
    [
        *((command, UNKNOWN) for command in ("sync", "lock", "status", "list", "conflicts")),
        *(("list", text) for text in ("tool.isolate = [\n", "[tool.isolate]\n# \udcff\n")),
    ],
)
def test_invalid_settings_fail_only_their_application(isolate, repository, command, text):
    (repository / "tools/pyproject.toml").write_bytes(text.encode(errors="surrogateescape"))
    result = isolate(command, *([] if command == "conflicts" else ["--all"]), cwd=repository, status=2)
    assert "tools/pyproject.toml:" in result.err
    assert "services/shop" in result.out


def test_a_project_file_that_cannot_be_opened_fails_only_its_application(isolate, repository):
    (repository / "tools/pyproject.toml").unlink()
    (repository / "tools/pyproject.toml").symlink_to("pyproject.toml")
    result = isolate("list", "--all", cwd=repository, status=2)
    assert result.err.startswith("tools: error: ")
    assert result.out.splitlines() == ["services/shop", "services/shop/admin"]


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


UNFIT = {"co:lon": "colon in its path", os.fsdecode(b"caf\xe9"): "is not valid UTF-8"}
"""Names of directories in which no environment works, and what is said of them."""


@pytest.mark.parametrize("name", UNFIT)
def test_a_directory_name_that_allows_no_environment_fails_only_its_application(isolate, application, index, name):
    application({"requirements.txt": "alpha==1.0\n"}, name=f"repo/{name}")
    root = application({"requirements.txt": "alpha==1.0\n"}, name="repo/well").parent
    for command in ("sync", "check", "status", "lock", "list"):
        result = isolate(command, "--all", cwd=root, status=2)
        assert UNFIT[name] in result.err, command
        assert "hint: rename the directory" in result.err, command
        assert "well" in result.out, command
    assert "1 succeeded, 1 failed" in isolate("run", "--all", "--", "alpha", cwd=root, status=2).out
    isolate("conflicts", "--json", cwd=root, status=2)
    document = json.loads(isolate("list", "--all", "--json", cwd=root, status=2).out)
    assert {one["application"] for one in document["applications"]} == {"well", name}
    assert not (root / name / ".venv").exists()


def test_check_and_lock_work_on_all_applications(isolate, repository):
    isolate("lock", "--all", cwd=repository)
    assert sorted(path.parent.name for path in repository.rglob("pylock.toml")) == ["admin", "shop", "tools"]
    isolate("check", "--all", cwd=repository, status=1)
    isolate("sync", "--all", "-q", cwd=repository)
    isolate("check", "--all", cwd=repository)
    (next((repository / "tools/.venv").glob("lib/*/site-packages/alpha")) / "__init__.py").unlink()
    result = isolate("check", "--all", cwd=repository, status=1)
    assert "tools:\n  missing file" in result.out


def test_run_runs_in_each_application(isolate, repository):
    code = "import alpha, os; print(alpha.__version__, os.path.basename(os.getcwd()))"
    result = isolate("run", "--all", "--", "python", "-c", code, cwd=repository)
    said = {"services/shop: 1.0 shop", "services/shop/admin: 2.0 admin", "tools: 1.1 tools"}
    assert said < set(result.out.splitlines())
    result = isolate("run", "--all", "--", "python", "-c", "import beta", cwd=repository, status=1)
    assert "No module named 'beta'" in result.out


@pytest.mark.parametrize("status", [1, 5])
def test_every_exit_code_of_a_program_but_0_is_a_failure(isolate, repository, status):
    code = f"import os, sys; print('said'); sys.exit({status} * (os.path.basename(os.getcwd()) == 'tools'))"
    result = isolate("run", "--all", "--", "python", "-c", code, cwd=repository, status=status)
    assert f"tools:\n  said\n  exit status {status}\n" in result.out
    assert result.out.splitlines()[-1] == "3 applications: 2 succeeded, 1 failed"


def test_quiet_silences_isolate_and_not_the_programs_that_it_runs(isolate, repository):
    result = isolate("run", "--all", "-q", "--", "python", "-c", "print(1)", cwd=repository)
    assert sorted(result.out.splitlines()) == ["services/shop/admin: 1", "services/shop: 1", "tools: 1"]
    assert result.err == ""
    result = isolate("run", "--all", "-q", "--", "true", cwd=repository)
    assert (result.out, result.err) == ("", "")
    result = isolate("run", "--all", "-q", "--", "sh", "-c", "exit 5", cwd=repository, status=5)
    assert "tools: exit status 5" in result.out.splitlines()


def test_a_missing_command_is_reported_alike_for_one_and_for_many_applications(isolate, repository):
    said = isolate("run", "--", "nosuch", cwd=repository / "tools", status=2).err.splitlines()
    error, hint = (line for line in said if line.startswith(("error: ", "hint: ")))
    result = isolate("run", "--all", "--", "nosuch", cwd=repository, status=2)
    assert f"tools: {error}\n{hint}\n" in result.err
    assert result.out.splitlines()[-1] == "3 applications: 3 failed"


def test_the_document_of_a_failure_among_many_names_the_command(isolate, repository):
    (repository / "tools/pyproject.toml").write_text("[project")
    for command in ("sync", "check", "status", "list"):
        document = json.loads(isolate(command, "--all", "--json", cwd=repository, status=2).out)
        assert {one["command"] for one in document["applications"]} == {command}


def test_a_worker_that_waits_for_another_is_not_told_of_another_process(isolate, application, index, tmp_path):
    build_sdist(index.folder, "slow", "1.0", on_build="import time; time.sleep(2)")
    for number in range(2):
        application({"requirements.txt": f"alpha==1.{number}\nslow==1.0\n"}, name=f"repo/{number}")
    result = isolate("sync", "--all", "-j", "2", cwd=tmp_path / "repo")
    assert "waiting for the store" in result.err
    assert "another isolate" not in result.err


def test_status_shows_each_application(isolate, repository, index):
    isolate("sync", repository / "tools", repository / "services/shop")
    asked = len(index.requests)
    (repository / "services/shop/requirements.txt").write_text("alpha==1.1\n")
    heading, shop, admin, tools = isolate("status", "--all", cwd=repository).out.splitlines()
    assert heading.split()[0] == "application"
    assert "no: stale lock: alpha==1.1 (requirements.txt:1) does not allow" in shop
    assert "no: missing environment" in admin
    assert tools.split()[-1] == "yes"
    assert "pylock.toml" in tools
    document = json.loads(isolate("status", "--json", cwd=repository / "tools").out)
    assert (document["up_to_date"], document["packages"], document["declarations"]) == (True, 2, ["pyproject.toml"])
    assert 0 < document["size"]["shared"] < document["size"]["total"]
    assert abs(document["last_sync"] - time.time()) < 100
    exclusive_access = isolate("status", cwd=repository / "services/shop").out
    assert "up to date: no\n" in exclusive_access
    assert exclusive_access.count("stale lock") == 1
    assert len(index.requests) == asked, "status used the network"


def test_an_application_is_the_same_under_each_of_its_paths(isolate, repository):
    here, there = repository / "tools", repository / "services/shop"
    isolate("sync", here, there)
    for name in ("../../tools", repository / "services/../tools"):
        assert "nothing to do" in isolate("sync", name, cwd=there).out
        isolate("check", name, cwd=there)
    assert "2 up to date" in isolate("sync", "../services/shop", "../tools", cwd=here).out


def test_the_parent_of_a_symbolic_link_is_that_of_its_target(isolate, repository):
    (repository / "elsewhere").symlink_to(repository / "services/shop/admin")
    isolate("sync", repository / "services/shop")
    assert "nothing to do" in isolate("sync", "elsewhere/..", cwd=repository).out


def test_conflicts_shows_which_applications_conflict_and_why(isolate, repository, tmp_path):
    isolate("lock", "--all", "-q", cwd=repository)
    result = isolate("conflicts", cwd=repository)
    assert "    tools: via beta, from beta<2 (pyproject.toml:3)" in result.out.splitlines()
    assert result.out.splitlines()[-1].startswith("2 packages conflict across 3 applications")
    document = json.loads(isolate("conflicts", "--json", repository).out)
    assert [one["name"] for one in document["conflicts"]] == ["alpha", "beta"]
    isolate("conflicts", "--fail", "-q", cwd=repository, status=1)
    assert "wrote" in isolate("conflicts", "--html", tmp_path / "page.html", cwd=repository).out
    refused = isolate("conflicts", "--html", tmp_path / "nowhere/page.html", cwd=repository, status=2)
    assert "nowhere/page.html cannot be written: No such file or directory" in refused.err
    (repository / "tools/pyproject.toml").write_text("[project")
    result = isolate("conflicts", cwd=repository, status=2)
    assert result.out.splitlines()[-1] == "skipped (errors): tools"
    assert "services/shop/admin" in (tmp_path / "page.html").read_text()


def test_a_report_that_cannot_be_written_leaves_the_old_one(isolate, repository, tmp_path):
    page = tmp_path / "pages/page.html"
    page.parent.mkdir()
    page.write_text("old")
    page.chmod(0o600)
    (tmp_path / "link.html").symlink_to(page)
    full = {"PYTHONPATH": f"{tmp_path}/full{os.pathsep}{SOURCE}"}
    (tmp_path / "full").mkdir()
    (tmp_path / "full/sitecustomize.py").write_text("import resource as r\nr.setrlimit(r.RLIMIT_FSIZE, (9999, 9999))\n")
    isolate("lock", "--all", "-q", cwd=repository)
    refused = isolate("conflicts", "--html", page, cwd=repository, status=2, env=full)
    assert f"{page} cannot be written: File too large" in refused.err
    assert page.read_text() == "old"
    isolate("conflicts", "--html", tmp_path / "link.html", cwd=repository)
    assert "</html>" in page.read_text()
    assert page.stat().st_mode & 0o777 == 0o600
    assert [*page.parent.iterdir()] == [page]
    assert "</html>" in isolate("conflicts", "--html", "/dev/stdout", cwd=repository).out


@pytest.mark.parametrize("pattern", ["services", "./services", "services/", "./services/", "services/../services//"])
def test_an_excluded_directory_may_be_written_in_any_form(isolate, repository, pattern):
    (repository / "pyproject.toml").write_text(f'[tool.isolate]\nexclude = ["", "{pattern}"]\n')
    assert names(isolate, repository) == ["tools"]


def test_conflicts_uses_declared_pins_without_a_lock(isolate, repository):
    document = json.loads(isolate("conflicts", "--json", repository / "services").out)
    (alpha,) = document["conflicts"]
    assert [one["version"] for one in alpha["versions"]] == ["2.0", "1.0"]


def test_list_shows_the_python_that_a_sync_would_use(isolate, repository):
    application = repository / "tools"

    def interpreter():
        document = json.loads(isolate("list", "--all", "--json", cwd=repository).out)
        return {one["application"]: one["interpreter"] for one in document["applications"]}["tools"]

    expected = interpreter()
    isolate("sync", "-q", application)
    assert (
        expected
        == interpreter()
        == json.loads((application / ".venv/.isolate/state.json").read_text())["interpreter"]["version"]
    )
    (application / ".python-version").write_text("3.1\n")
    assert interpreter() is None


def test_list_has_a_key_that_changes_with_declarations_and_locks(isolate, repository):
    def keys():
        document = json.loads(isolate("list", "--all", "--json", cwd=repository).out)
        return {one["application"]: one["key"] for one in document["applications"]}

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


OTHERS = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
"""What makes git take a repository for somebody else's."""


@pytest.mark.parametrize("more", [[], ["--changed-since", "HEAD"]])
def test_a_repository_that_git_rejects_is_reported_with_the_remedy_of_git(isolate, repository, more):
    git(repository, "init")
    result = isolate("list", "--all", *more, cwd=repository, status=2, env=OTHERS)
    assert f"hint: git config --global --add safe.directory {repository}" in result.err.splitlines()
    assert "revision" not in result.err


def test_a_repository_that_git_cannot_read_is_not_blamed_on_the_revision(isolate, repository):
    (repository / ".git").write_text("gitdir: nowhere\n")
    result = isolate("list", "--all", "--changed-since", "HEAD", cwd=repository, status=2)
    assert "git rev-parse failed" in result.err
    assert "nowhere" in result.err
    assert "revision" not in result.err


@pytest.mark.parametrize("spoil", [lambda file: file.write_text("gitdir: nowhere\n"), lambda folder: folder.mkdir()])
def test_nothing_is_ignored_if_git_fails(isolate, repository, spoil):
    (repository / ".gitignore").write_text("/tools/\n")
    spoil(repository / ".git")
    assert names(isolate, repository) == ["services/shop", "services/shop/admin", "tools"]


def commit(folder):
    git(folder, "add", "--all")
    git(folder, "commit", "--allow-empty", "-m", "all")


@pytest.fixture
def superproject(application, tmp_path):
    """A repository with an application, two in a submodule, one in a repository that it ignores."""
    application({"requirements.txt": ""}, name="origin/in")
    origin = application({"requirements.txt": "", ".gitignore": "/out/\n"}, name="origin/out").parent
    (origin / ".gitignore").write_text("/out/\n")
    git(origin, "init")
    commit(origin)
    application({"requirements.txt": ""}, name="repo/own")
    application({"requirements.txt": ""}, name="repo/clones/other/app")
    root = application({".gitignore": "/clones/\n"}, name="repo")
    git(root / "clones/other", "init")
    git(root, "init")
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", str(origin), "sub")
    application({"requirements.txt": ""}, name="repo/sub/out")
    commit(root)
    return root


def test_each_nested_repository_decides_what_it_ignores(isolate, superproject):
    assert names(isolate, superproject) == ["own", "sub/in"]


def test_patterns_may_select_applications_outside_the_repository(isolate, application):
    application({"requirements.txt": ""}, name="elsewhere/app")
    application({"requirements.txt": ""}, name="repo/app")
    application({".gitignore": "/app\n"}, name="repo")
    patterns = '[tool.isolate]\napplications = ["../elsewhere/*", "../repo/*"]\n'
    root = application({"pyproject.toml": patterns}, name="repo")
    git(root, "init")
    assert names(isolate, root) == ["../elsewhere/app"]


def test_variables_of_a_git_hook_have_no_effect(isolate, repository):
    git(repository, "init")
    (repository / ".gitignore").write_text("/services/shop/admin\n")
    commit(repository)
    found = isolate("list", "--all", cwd=repository / "services", env={"GIT_DIR": ".git", "GIT_WORK_TREE": "."}).out
    assert found.splitlines() == ["shop"]


@pytest.mark.parametrize("kind", ["the submodule moves on", "a file there is not committed"])
def test_an_application_in_a_submodule_changes_with_it(isolate, superproject, kind):
    commit(superproject / "sub")
    git(superproject, "add", "--all")
    git(superproject, "commit", "-m", "once more")
    assert names(isolate, superproject, "--changed-since", "HEAD") == []
    (superproject / "sub/in/requirements.txt").write_text("alpha\n")
    if kind == "the submodule moves on":
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


def test_an_interrupt_ends_all_workers_and_leaves_nothing(isolate, application, index, tmp_path, cache):
    build_sdist(index.folder, "slow", "1.0", on_build="import time; time.sleep(60)")
    for number in range(4):
        application({"requirements.txt": f"alpha==1.{number % 2}\nslow==1.0\n"}, name=f"repo/{number}")
    command = [sys.executable, "-m", "isolate", "sync", "--all", "-j", "4"]
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
    child = subprocess.Popen(
        command, cwd=tmp_path / "repo", env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    time.sleep(4)
    os.killpg(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert child.returncode == 130, err
    assert "interrupted" in err
    assert "Traceback" not in out + err
    with pytest.raises(ProcessLookupError):
        os.killpg(child.pid, 0)
    assert not list((cache / "store-v1/tmp").iterdir())
    assert not list((tmp_path / "repo").glob("*/.venv")) + list((tmp_path / "repo").glob("*/.isolate-staging"))
