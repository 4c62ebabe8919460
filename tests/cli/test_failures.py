"""Failures of networks, disks and users: exit code 2, the old environment unchanged, and the next sync succeeds."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from conftest import SOURCE, inconsistencies, listing, versions
from kit.packages import build_wheel
from kit.records import record_text, write_signed
from kit.waiting import wait_until


@pytest.fixture
def synced(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    application({"requirements.txt": "alpha==1.0\ndelta==1.0\n"})
    return app


@pytest.mark.parametrize("how", ["500", "cut", "wrong", "hang"])
@pytest.mark.parametrize("what", ["^/simple/delta", "^/files/delta"])
def test_an_index_that_misbehaves_leaves_the_old_environment(isolate, synced, index, how, what, monkeypatch):
    monkeypatch.setenv("PIP_DEFAULT_TIMEOUT", "2")
    index.misbehave(what, how)
    before = listing(synced)
    message = isolate("sync", cwd=synced, status=2).err
    assert "hint: " in message
    assert listing(synced) == before
    index.behave()
    isolate("sync", cwd=synced)
    assert versions(synced / ".venv") == {"alpha": "1.0", "delta": "1.0"}
    assert inconsistencies(synced / ".venv") == []


def test_a_missing_network_is_reported(isolate, synced):
    message = isolate("sync", cwd=synced, status=2, env={"PIP_INDEX_URL": "http://127.0.0.1:9/simple"}).err
    assert "cannot be reached" in message
    assert versions(synced / ".venv") == {"alpha": "1.0"}


@pytest.mark.parametrize("arguments", [("sync",), ("lock", "--upgrade")])
def test_offline_is_named_as_the_cause_of_a_missing_package(isolate, synced, application, arguments):
    application({"requirements.txt": "alpha==1.0\ndelta\n"})
    message = isolate(*arguments, "--offline", cwd=synced, status=2).err
    assert "hint: no index is used with --offline" in message
    assert "spelling" not in message


def test_retries_of_the_index_are_reported_while_they_happen(isolate, synced, application):
    application({"requirements.txt": "alpha==1.0\ndelta\n"})
    away = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}
    assert "retrying a request to the package index" in isolate("sync", cwd=synced, status=2, env=away).err


def start(app, *arguments):
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-m", "isolate", *arguments]
    return subprocess.Popen(command, cwd=app, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_an_interrupt_ends_everything_at_once_and_cleanly(synced, index):
    index.misbehave("^/files/delta", "hang")
    before = listing(synced)
    asked = len(index.fetched())
    child = start(synced, "sync")
    wait_until(lambda: len(index.fetched()) > asked)
    started = time.monotonic()
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=20)
    assert child.returncode == 130, errors
    assert time.monotonic() - started < 5
    assert errors.splitlines()[-1] == "interrupted"
    assert listing(synced) == before
    assert not [line for line in processes() if str(synced) in line]


def processes():
    return subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of three megabytes; skip the test if that is not allowed."""
    directory = tmp_path / "small"
    directory.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", directory], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("no file system can be mounted here")
    yield directory
    subprocess.run(["umount", directory], check=True)


def test_a_full_disk_under_the_application_leaves_the_old_environment(isolate, application, index, small_disk):
    app = small_disk / "app"
    app.mkdir()
    (app / "requirements.txt").write_text("alpha==1.0\n")
    message = isolate("sync", cwd=app, status=2).err  # pip alone is too large for this disk, and is copied to it
    assert "No space left" in message
    assert sorted(path.name for path in app.iterdir()) == ["requirements.txt"]


def test_a_full_disk_under_the_store_is_reported(isolate, application, index, small_disk):
    app = application({"requirements.txt": "alpha==1.0\n"})
    message = isolate("sync", cwd=app, status=2, env={"ISOLATE_CACHE_DIR": str(small_disk)}).err
    assert "space" in message or "disk is full" in message
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0"}


def test_a_read_only_store_is_still_used(isolate, application, index, cache):
    one = application({"requirements.txt": "alpha==1.0\n"}, name="one")
    isolate("sync", one)
    done = subprocess.run(["mount", "--bind", "-o", "ro", cache, cache], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", cache], check=True)
        two = application({"requirements.txt": "alpha==1.0\ndelta==1.0\n"}, name="two")
        result = isolate("sync", two)
    finally:
        subprocess.run(["umount", cache], check=True)
    assert "using a temporary store" in result.err
    assert versions(two / ".venv") == {"alpha": "1.0", "delta": "1.0"}
    assert index.fetched().count("alpha-1.0-py3-none-any.whl") <= 3
    isolate("check", two)


def test_the_store_of_another_user_is_not_used(isolate, application, index, cache):
    if os.geteuid() != 0:
        pytest.skip("only the superuser can give a directory away")
    os.chown(cache / "store-v1", 12345, 12345)
    app = application({"requirements.txt": "alpha==1.0\n"})
    assert "is owned by another user; using a temporary store" in isolate("sync", cwd=app).err
    assert versions(app / ".venv") == {"alpha": "1.0"}


def test_a_lock_that_cannot_be_cached_is_not_an_error(isolate, application, index, cache):
    shutil.rmtree(cache / "store-v1/locks")
    (cache / "store-v1/locks").write_text("no directory")
    app = application({"requirements.txt": "alpha==1.0\n"})
    assert "+ alpha 1.0" in isolate("sync", cwd=app).out
    assert versions(app / ".venv") == {"alpha": "1.0"}
    assert "nothing to do" in isolate("sync", cwd=app).out


def test_an_old_environment_that_cannot_be_deleted_does_not_fail_the_sync(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    (app / ".venv/pyvenv.cfg").unlink()
    held = app / ".venv/held"
    held.mkdir()
    if subprocess.run(["mount", "--bind", held, held], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        out = isolate("sync", cwd=app).out
    finally:
        subprocess.run(["umount", next(path for path in app.glob(".*/**/held"))], check=True)
    assert "recreated .venv" in out
    assert versions(app / ".venv") == {"alpha": "1.0"}
    isolate("check", cwd=app)
    assert not (app / ".isolate-staging").exists()


def test_sync_works_without_a_home_directory(isolate, application, index, monkeypatch):
    monkeypatch.delenv("HOME")
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0"}


def test_concurrent_commands_in_one_application_all_succeed(synced, isolate, index):
    children = [
        start(synced, *command) for command in (["sync"], ["sync"], ["run", "--", "alpha"], ["sync"], ["history"])
    ]
    ended = [child.communicate(timeout=100) for child in children]
    assert [child.returncode for child in children] == [0] * 5, ended
    assert inconsistencies(synced / ".venv") == []
    assert versions(synced / ".venv") == {"alpha": "1.0", "delta": "1.0"}


def test_concurrent_syncs_with_an_empty_store_fetch_nothing_twice(application, isolate, index):
    for number in range(12):
        build_wheel(index.directory, f"part{number}", "1.0")
    pins = "".join(f"part{number}==1.0\n" for number in range(12))
    apps = [application({"requirements.txt": pins}, name=f"app{number}") for number in range(3)]
    isolate("lock", *apps)
    before = len(index.fetched())
    children = [start(app, "sync") for app in apps]
    ended = [child.communicate(timeout=100) for child in children]
    assert [child.returncode for child in children] == [0] * 3, ended
    assert sorted(index.fetched()[before:]) == [
        f"part{number}-1.0-py3-none-any.whl" for number in sorted(range(12), key=str)
    ]
    assert any("waiting for another isolate process that fetches the same packages" in errors for _, errors in ended)
    for app in apps:
        assert inconsistencies(app / ".venv") == []


def test_the_environment_of_a_moved_application_is_recreated_without_the_network(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    moved = app.rename(app.parent / "moved")
    asked = len(index.requests)
    assert "moved: it was created at" in isolate("check", cwd=moved, status=1).out
    assert "recreated .venv: it was created at" in isolate("sync", cwd=moved).out
    assert (
        subprocess.run([moved / ".venv/bin/alpha"], capture_output=True, text=True, check=True).stdout == "alpha 1.0\n"
    )
    assert str(app) + "/" not in (moved / ".venv/bin/activate").read_text()
    assert len(index.requests) == asked


def test_a_copied_environment_is_recreated(isolate, application, index):
    one = application({"requirements.txt": "alpha==1.0\n"}, name="one")
    two = application({"requirements.txt": "alpha==1.0\n"}, name="two")
    isolate("sync", one)
    shutil.copytree(one / ".venv", two / ".venv", symlinks=True)
    assert "recreated .venv" in isolate("sync", two).out
    isolate("check", one, two)


def test_a_replaced_or_removed_interpreter_is_noticed(isolate, application, index, tmp_path):
    base = os.path.realpath(sys._base_executable)
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    state = app / ".venv/.isolate/state.json"
    write_signed(state, record_text(state).replace(base, "/gone/python3"))
    (app / ".venv/.isolate/stamp").unlink()
    isolate("check", cwd=app, status=1)
    assert "recreated .venv: " in isolate("sync", cwd=app).out
    assert isolate("run", "--", "alpha", cwd=app).out == "alpha 1.0\n"


def test_waiting_for_pip_is_reported_while_it_happens(synced, index):
    index.misbehave("^/files/delta", "hang")
    child = start(synced, "sync")
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(iter(child.stderr.readline, "")), daemon=True)
    reader.start()
    wait_until(lambda: any("waiting for pip" in line for line in lines), 25)
    child.send_signal(signal.SIGINT)
    child.wait(20)
    reader.join(5)
    child.stdout.close()
    child.stderr.close()
