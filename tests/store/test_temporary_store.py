"""Where the usual store cannot be written to, one command has one temporary store, and leaves none behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from os import environ

import pytest

from conftest import SOURCE, versions
from kit.index import wait_until

NUMBER = 3


@pytest.fixture
def nowhere(cache, tmp_path, monkeypatch):
    """Leave no place for a store but the temporary directory, and return that."""
    (tmp_path / "file").write_text("")
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("ISOLATE_CACHE_DIR", str(tmp_path / "file/cache"))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def repository(application, index):
    """Applications that all ask for the same."""
    for number in range(NUMBER):
        application({"requirements.txt": "alpha==1.0\n"}, name=f"repo/{number}")
    return application({}, name="repo")


def test_many_applications_share_it(isolate, repository, index, nowhere):
    isolate("lock", "--all", "-q", cwd=repository)
    index.requests.clear()
    result = isolate("sync", "--all", "-j", "2", cwd=repository)
    assert result.err.count("a temporary one is used") == 1
    assert index.fetched() == ["alpha-1.0-py3-none-any.whl"]
    assert [versions(repository / f"{number}/.venv") for number in range(NUMBER)] == [{"alpha": "1.0"}] * NUMBER
    assert [*nowhere.iterdir()] == []


def test_it_is_gone_before_the_command_that_run_becomes(isolate, repository, nowhere):
    listed = isolate(
        "run", "--", "python", "-c", f"import alpha, os; print(os.listdir({str(nowhere)!r}))", cwd=repository / "0"
    )
    assert listed.out == "[]\n"
    assert listed.err.count("a temporary one is used") == 1


@pytest.mark.parametrize("asked", [["sync"], ["check"], ["store", "size"], ["run", "--", "no-such-thing"]])
def test_it_is_gone_however_the_command_ends(isolate, repository, nowhere, asked):
    isolate(*asked, cwd=repository / "0", status=None)
    assert [*nowhere.iterdir()] == []


@pytest.mark.parametrize("asked", [["sync"], ["sync", "--all"]])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_is_gone_when_the_command_is_ended(repository, index, nowhere, asked, number):
    index.misbehave("^/files/", "hang")
    child = subprocess.Popen(
        [sys.executable, "-m", "isolate", *asked],
        cwd=repository if "--all" in asked else repository / "0",
        env={**environ, "PYTHONPATH": str(SOURCE)},
        stderr=subprocess.PIPE,
    )
    wait_until(index.fetched)
    assert [*nowhere.iterdir()] != []
    child.send_signal(number)
    child.communicate(timeout=30)
    assert child.returncode in (128 + number, 130)
    assert [*nowhere.iterdir()] == []
