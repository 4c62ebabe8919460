"""If the user's store cannot be written to, a command uses one temporary store and leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from os import environ

import pytest

from conftest import SOURCE, versions
from kit.waiting import wait_until

NUMBER = 3


@pytest.fixture
def temporary(cache, tmp_path, monkeypatch):
    """Make the user's store impossible to create, and return the directory for temporary files."""
    (tmp_path / "file").write_text("")
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setenv("ISOLATE_CACHE_DIR", str(tmp_path / "file/cache"))
    monkeypatch.setenv("TMPDIR", str(directory))
    return directory


@pytest.fixture
def repository(application, index):
    """Return a repository of applications with the same requirements."""
    for number in range(NUMBER):
        application({"requirements.txt": "alpha==1.0\n"}, name=f"repo/{number}")
    return application({}, name="repo")


def test_the_applications_of_one_command_share_it(isolate, repository, index, temporary):
    isolate("lock", "--all", "-q", cwd=repository)
    index.requests.clear()
    result = isolate("sync", "--all", "-j", "2", cwd=repository)
    assert result.err.count("using a temporary store") == 1
    assert index.fetched() == ["alpha-1.0-py3-none-any.whl"]
    assert [versions(repository / f"{number}/.venv") for number in range(NUMBER)] == [{"alpha": "1.0"}] * NUMBER
    assert [*temporary.iterdir()] == []


def test_it_is_deleted_before_run_starts_the_command(isolate, repository, temporary):
    listed = isolate(
        "run", "--", "python", "-c", f"import alpha, os; print(os.listdir({str(temporary)!r}))", cwd=repository / "0"
    )
    assert listed.out == "[]\n"
    assert listed.err.count("using a temporary store") == 1


@pytest.mark.parametrize("arguments", [["sync"], ["check"], ["store", "size"], ["run", "--", "no-such-thing"]])
def test_it_is_deleted_however_the_command_ends(isolate, repository, temporary, arguments):
    isolate(*arguments, cwd=repository / "0", status=None)
    assert [*temporary.iterdir()] == []


@pytest.mark.parametrize("arguments", [["sync"], ["sync", "--all"]])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_is_deleted_when_the_command_is_interrupted(repository, index, temporary, arguments, number):
    index.misbehave("^/files/", "hang")
    child = subprocess.Popen(
        [sys.executable, "-m", "isolate", *arguments],
        cwd=repository if "--all" in arguments else repository / "0",
        env={**environ, "PYTHONPATH": str(SOURCE)},
        stderr=subprocess.PIPE,
    )
    wait_until(index.fetched)
    assert [*temporary.iterdir()] != []
    child.send_signal(number)
    child.communicate(timeout=30)
    assert child.returncode in (128 + number, 130)
    assert [*temporary.iterdir()] == []
