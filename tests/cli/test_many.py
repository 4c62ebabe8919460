"""One command for many applications."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from conftest import SOURCE, inconsistencies, versions
from kit.packages import build_sdist

pytestmark = pytest.mark.store("warm")


@pytest.mark.store("cold")
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


@pytest.mark.store("cold")
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
    assert [part["application"] for part in document["applications"]] == [
        "services/shop",
        "services/shop/admin",
        "tools",
    ]
    assert [part["exit_code"] for part in document["applications"]] == [0, 0, 2]
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


UNUSABLE = {"co:lon": "colon in its path", os.fsdecode(b"caf\xe9"): "is not valid UTF-8"}
"""Names of directories in which no environment works, and the explanation."""


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_directory_name_that_allows_no_environment_fails_only_its_application(isolate, application, index, name):
    application({"requirements.txt": "alpha==1.0\n"}, name=f"repo/{name}")
    root = application({"requirements.txt": "alpha==1.0\n"}, name="repo/well").parent
    for command in ("sync", "check", "status", "lock", "list"):
        result = isolate(command, "--all", cwd=root, status=2)
        assert UNUSABLE[name] in result.err, command
        assert "hint: rename the directory" in result.err, command
        assert "well" in result.out, command
    assert "1 succeeded, 1 failed" in isolate("run", "--all", "--", "alpha", cwd=root, status=2).out
    isolate("conflicts", "--json", cwd=root, status=2)
    document = json.loads(isolate("list", "--all", "--json", cwd=root, status=2).out)
    assert {part["application"] for part in document["applications"]} == {"well", name}
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
    expected = {"services/shop: 1.0 shop", "services/shop/admin: 2.0 admin", "tools: 1.1 tools"}
    assert expected < set(result.out.splitlines())
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
    lines = isolate("run", "--", "nosuch", cwd=repository / "tools", status=2).err.splitlines()
    error, hint = (line for line in lines if line.startswith(("error: ", "hint: ")))
    result = isolate("run", "--all", "--", "nosuch", cwd=repository, status=2)
    first = re.search(rf"^(\S+): {re.escape(error)}\n{re.escape(hint)}\n", result.err, re.MULTILINE)[1]
    others = re.search(rf"^(.+): {re.escape(error)} \(as for {first}\)$", result.err, re.MULTILINE)[1].split(", ")
    assert sorted([first, *others]) == ["services/shop", "services/shop/admin", "tools"]
    assert result.out.splitlines()[-1] == "3 applications: 3 failed"


def test_the_document_of_a_failure_among_many_names_the_command(isolate, repository):
    (repository / "tools/pyproject.toml").write_text("[project")
    for command in ("sync", "check", "status", "list"):
        document = json.loads(isolate(command, "--all", "--json", cwd=repository, status=2).out)
        assert {part["command"] for part in document["applications"]} == {command}


@pytest.mark.store("cold")
def test_a_worker_that_waits_for_another_is_not_told_of_another_process(isolate, application, index, tmp_path):
    build_sdist(index.directory, "slow", "1.0", on_build="import time; time.sleep(2)")
    for number in range(2):
        application({"requirements.txt": f"alpha==1.{number}\nslow==1.0\n"}, name=f"repo/{number}")
    result = isolate("sync", "--all", "-j", "2", cwd=tmp_path / "repo")
    assert "waiting for the store" in result.err
    assert "another isolate" not in result.err


@pytest.mark.store("cold")
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
    tools, shop = repository / "tools", repository / "services/shop"
    isolate("sync", tools, shop)
    for name in ("../../tools", repository / "services/../tools"):
        assert "nothing to do" in isolate("sync", name, cwd=shop).out
        isolate("check", name, cwd=shop)
    assert "2 up to date" in isolate("sync", "../services/shop", "../tools", cwd=tools).out


def test_the_parent_of_a_symbolic_link_is_that_of_its_target(isolate, repository):
    (repository / "elsewhere").symlink_to(repository / "services/shop/admin")
    isolate("sync", repository / "services/shop")
    assert "nothing to do" in isolate("sync", "elsewhere/..", cwd=repository).out


@pytest.mark.store("cold")
def test_an_interrupt_ends_all_workers_and_leaves_nothing(isolate, application, index, tmp_path, cache):
    build_sdist(index.directory, "slow", "1.0", on_build="import time; time.sleep(60)")
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


@pytest.mark.store("cold")
def test_a_package_that_fails_to_build_for_several_applications_is_told_once(isolate, application, index):
    build_sdist(index.directory, "broken", "1.0", on_build="raise RuntimeError('out of luck')")
    for number in range(4):
        filler = "".join(f"# {line}\n" for line in range(number))
        application({"requirements.txt": f"{filler}broken==1.0\n"}, name=f"repo/{number}")
    application({"requirements.txt": "alpha==1.0\nother==1.0\n"}, name="repo/other")
    result = isolate("sync", "--all", cwd=application({}, name="repo"), status=2)
    assert result.err.count("out of luck") == 1
    assert result.err.count("broken could not be built") == 2
    told = next(line for line in result.err.splitlines() if "(as for" in line)
    names, _, first = told.partition(": error: broken could not be built (as for ")
    assert sorted([*names.split(", "), first.removesuffix(")")]) == ["0", "1", "2", "3"]
    assert "other: error: package other was not found" in result.err
    assert result.out.splitlines()[-1] == "5 applications: 5 failed"
