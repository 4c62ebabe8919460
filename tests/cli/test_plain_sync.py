"""A plain `isolate sync` does not import click, and behaves as if it did."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile

import pytest

from conftest import SOURCE, versions
from isolate import fast_path
from isolate.errors import IsolateError

pytestmark = pytest.mark.store("warm")


def imported(*arguments, cwd):
    """Run the command, and return the names of the modules that it imported."""
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-X", "importtime", "-m", "isolate", *arguments]
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {line.split("|")[-1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


@pytest.mark.parametrize("quiet", [[], ["-q"], ["--quiet"]])
def test_a_plain_sync_does_not_import_click(application, index, cache, quiet):
    app = application({"requirements.txt": "alpha==1.0\n"})
    assert "click" not in imported("sync", *quiet, cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0"}
    assert "dataclasses" not in imported("sync", *quiet, cwd=app)
    assert "click" in imported("sync", "-v", cwd=app)


@pytest.fixture
def repository(application, index, isolate):
    """Two applications with nothing to do, in a git repository whose root is not an application."""
    for name in ("repo/one", "repo/two"):
        application({"requirements.txt": "alpha==1.0\n"}, name=name)
    root = application({"pyproject.toml": "[tool.other]\n", ".gitignore": ".venv\n"}, name="repo")
    subprocess.run(["git", "init"], cwd=root, capture_output=True, check=True)
    isolate("sync", "--all", cwd=root)
    return root


def sync_all_both_ways(isolate, root):
    """Return the output of a plain `sync --all`, after comparing it with that of click."""
    plain, with_click = isolate("sync", "--all", cwd=root), isolate("sync", "--all", ".", cwd=root)
    assert plain == with_click
    assert isolate("sync", "--all", "-q", cwd=root).out == ""
    return [line.partition(",")[0] for line in plain.out.splitlines()]


NOTHING = "nothing to do: 1 package"


def test_a_plain_sync_of_all_with_nothing_to_do_imports_neither_click_nor_the_command(repository):
    modules = imported("sync", "--all", "-q", cwd=repository)
    assert modules.isdisjoint({"click", "packaging", "logging", "isolate.commands.sync"})
    (repository / "one/requirements.txt").write_text("alpha==1.1\n")
    assert "click" not in imported("sync", "-q", "--all", cwd=repository)
    assert versions(repository / "one/.venv") == {"alpha": "1.1"}


def test_a_plain_sync_of_all_notices_new_and_removed_applications(isolate, application, repository):
    assert sync_all_both_ways(isolate, repository) == [
        f"one: {NOTHING}", f"two: {NOTHING}", "2 applications: 2 up to date",
    ]  # fmt: skip
    application({"requirements.txt": "alpha==1.0\n"}, name="repo/new/deep")
    assert "3 applications: 1 updated, 2 up to date" in isolate("sync", "--all", cwd=repository).out
    assert sync_all_both_ways(isolate, repository)[0] == f"new/deep: {NOTHING}"
    with (repository / ".gitignore").open("a") as file:
        file.write("/new/\n")
    assert sync_all_both_ways(isolate, repository)[-1] == "2 applications: 2 up to date"
    (repository / "one/requirements.txt").unlink()
    assert sync_all_both_ways(isolate, repository) == [f"two: {NOTHING}", "1 application: 1 up to date"]
    (repository / "one/pyproject.toml").write_text("[tool.other]\n")
    assert len(sync_all_both_ways(isolate, repository)) == 2
    (repository / "one/pyproject.toml").write_text('[project]\nname = "one"\ndependencies = ["alpha==1.0"]\n')
    isolate("sync", "--all", cwd=repository)
    assert len(sync_all_both_ways(isolate, repository)) == 3
    (repository / "pyproject.toml").write_text('[tool.isolate]\nexclude = ["two"]\n')
    isolate("sync", "--all", cwd=repository)  # a file above an application may make it a member of a workspace
    assert sync_all_both_ways(isolate, repository)[0].startswith("one: nothing to do")
    assert len(sync_all_both_ways(isolate, repository)) == 2


def test_a_failure_of_one_application_is_reported_alike(isolate, repository):
    (repository / "one/requirements.txt").write_text("alpha==1.1 ==\n")
    plain = isolate("sync", "--all", cwd=repository, status=2)
    assert plain == isolate("sync", "--all", ".", cwd=repository, status=2)
    assert plain.out.splitlines()[-1] == "2 applications: 1 up to date, 1 failed"


ARROW = {"PYTHONIOENCODING": "ascii"}


@pytest.mark.parametrize(
    ("wanted", "redirected", "environ", "status"),
    [
        ("alpha==1.1\n", "", {}, 0),
        ("alpha==1.1\n", "", ARROW, 0),
        ("alpha==1.1 ==\n", "", {}, 2),
        ("alpha==7\n", "", {}, 2),
        ("alpha==1.1\n", ">&-", {}, 0),
        ("alpha==1.1\n", ">/dev/full", {}, 2),
        ("alpha==1.1\n", "2>&-", {}, 0),
        ("alpha==1.1\n", "2>&1 | (exec <&-); exit ${PIPESTATUS[0]}", {}, 141),
        ("alpha==1.1\n", "| head -c 0; exit ${PIPESTATUS[0]}", {}, 141),
    ],
)
def test_both_ways_have_the_same_result(application, index, cache, isolate, wanted, redirected, environ, status):
    isolate("sync", application({"requirements.txt": "alpha==1.1\n"}))  # from here on the store has it
    results = []
    for name, argument in (("plain", ""), ("click", ".")):
        app = application({"requirements.txt": "alpha==1.0\n"}, name=f"{name}/app")
        isolate("sync", app)
        (app / "requirements.txt").write_text(wanted)
        line = f"{sys.executable} -m isolate sync {argument} {redirected}"
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=app,
            env={**os.environ, **environ, "PYTHONPATH": str(SOURCE)},
            capture_output=True,
            text=True,
            check=False,
        )
        texts = [re.sub(r"\d+\.\d+ s\b", "", text).replace(str(app.parent), "") for text in (done.stdout, done.stderr)]
        results.append((done.returncode, *texts, versions(app / ".venv")))
    assert results[0] == results[1]
    assert results[0][0] == status


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (IsolateError("no", facts=("a fact",), hint="do this"), 2, "error: no\n  a fact\nhint: do this\n"),
        (
            PermissionError(13, "Permission denied", "/path"),
            2,
            "error: Permission denied (/path)\nhint: give yourself write permission, then run the command again\n",
        ),
        (KeyboardInterrupt(), 130, "\ninterrupted\n"),
        (ValueError("what"), 3, "error: internal error: ValueError: what. Details were written to "),
        (EOFError(), 3, "error: internal error: EOFError: . Details were written to "),
    ],
)
@pytest.mark.parametrize("arguments", [["sync"], ["sync", "."]])
def test_both_ways_report_an_error_alike(
    application, monkeypatch, mocker, capsys, tmp_path, error, status, message, arguments
):
    monkeypatch.chdir(application({"requirements.txt": ""}))
    monkeypatch.setattr(sys, "argv", ["isolate", *arguments])
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    mocker.patch("isolate.cli.errors._install_signal_handlers")
    mocker.patch("isolate.commands.sync.sync", side_effect=error)
    with pytest.raises(SystemExit) as ended:
        fast_path.main()
    assert ended.value.code == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.lstrip("\n" if status == 3 else "").startswith(message)
    assert len(list(tmp_path.glob("isolate-crash-*.log"))) == (status == 3)
