"""Unusual links, streams, signals and paths."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import SOURCE, listing, versions
from isolate.application import Application
from isolate.environment.movable import check_permissions
from isolate.environment.steps import add_step
from isolate.errors import IsolateError
from isolate.interpreters.discovery import version_manager_pythons
from isolate.store.layout import cache_directory
from kit.packages import build_sdist

pytestmark = pytest.mark.store("warm")


@pytest.fixture
def synced(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    return app


def shell(line, cwd):
    """Run a line of shell; $ISOLATE in it is the command."""
    environ = {**os.environ, "PYTHONPATH": str(SOURCE), "ISOLATE": f"{sys.executable} -m isolate"}
    return subprocess.run(["bash", "-c", line], cwd=cwd, env=environ, capture_output=True, text=True, check=False)


def test_a_symbolic_link_to_an_environment_is_neither_followed_nor_replaced(isolate, application, synced):
    before = listing(synced)
    other = application({"requirements.txt": "alpha==2.0\n"}, name="other")
    (other / ".venv").symlink_to(synced / ".venv")
    for command in (["sync"], ["check"], ["run", "--", "true"]):
        result = isolate(*command, cwd=other, status=2)
        assert "is a symbolic link to" in result.err
    assert (other / ".venv").is_symlink()
    assert listing(synced) == before
    assert versions(synced / ".venv") == {"alpha": "1.0"}


def test_a_damaged_entry_of_a_read_only_store_is_fetched_again(isolate, application, synced, cache):
    entry = next(cache.glob("store-v1/entries/*/alpha-1.0-*"))
    os.utime(next(entry.rglob("__init__.py")), ns=(1, 1))
    other = application({"requirements.txt": "alpha==1.0\n"}, name="other")
    mounted = subprocess.run(["mount", "--bind", "-r", cache, cache], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        result = isolate("sync", cwd=other)
    finally:
        subprocess.run(["umount", cache], check=True)
    assert "using a temporary store" in result.err
    assert "re-fetching it" in result.err
    assert versions(other / ".venv") == {"alpha": "1.0"}


def test_missing_permissions_are_found_before_anything_is_renamed(tmp_path, mocker):
    (tmp_path / "bin").mkdir()
    steps = [add_step("bin/tool")]
    check_permissions(str(tmp_path), steps)
    mocker.patch("os.access", side_effect=lambda path, _: not str(path).endswith("/bin"))
    with pytest.raises(PermissionError, match="bin"):
        check_permissions(str(tmp_path), steps)


@pytest.mark.parametrize(
    ("line", "status", "message"),
    [
        ("$ISOLATE sync 2>&-", 0, ""),
        ("$ISOLATE sync | head -c 0; exit ${PIPESTATUS[0]}", 141, ""),
        ("$ISOLATE check | head -c 0; exit ${PIPESTATUS[0]}", 141, ""),
        ("$ISOLATE sync > /dev/full", 2, "its output could not be written"),
        ("$ISOLATE check > /dev/full", 2, "its output could not be written"),
        ("mkdir gone && cd gone && rmdir ../gone && $ISOLATE sync", 2, ""),
    ],
)
def test_closed_streams_and_missing_directories(synced, line, status, message):
    done = shell(line, synced)
    assert "Traceback" not in done.stderr
    assert message in done.stderr
    assert (done.returncode == status) or (status == 141 and done.returncode == 0), done.stderr


@pytest.mark.store("cold")
@pytest.mark.parametrize("arguments", ["", "--all"])
def test_a_closed_standard_error_does_not_stop_a_sync(application, index, cache, arguments):
    app = application({"requirements.txt": "alpha==1.0\n"})
    done = shell(f"$ISOLATE sync {arguments} 2>&-", app)
    assert done.returncode == 0
    assert versions(app / ".venv") == {"alpha": "1.0"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_termination_signal_ends_a_build_too(application, index, cache, tmp_path, number):
    begun = tmp_path / "begun"
    write = f"import os, pathlib, time; pathlib.Path({str(begun)!r}).write_text(str(os.getpid())); time.sleep(60)"
    build_sdist(index.directory, "slow", "1.0", on_build=write)
    app = application({"requirements.txt": "slow==1.0\n"})
    (tmp_path / "tmp").mkdir()
    environ = {**os.environ, "PYTHONPATH": str(SOURCE), "TMPDIR": str(tmp_path / "tmp")}
    command = [sys.executable, "-m", "isolate", "sync"]
    with subprocess.Popen(
        command,
        cwd=app,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # noqa: PLW1509 - `nohup` makes children ignore SIGHUP
    ) as child:
        while not (begun.exists() and begun.read_text()):
            assert child.poll() is None
            time.sleep(0.1)
        child.send_signal(number)
        _, errors = child.communicate(timeout=30)
    assert child.returncode == 128 + number, errors
    assert b"Traceback" not in errors
    assert not is_running(begun.read_text())
    assert listing(tmp_path / "tmp") == []
    assert listing(cache / "store-v1/tmp") == []
    assert not (app / ".venv").exists()


def is_running(pid):
    """Return whether a process is running; one that has ended and waits to be reaped is not."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True, check=False)
    return shown.stdout.strip()[:1] not in ("", "Z")


def test_a_colon_in_the_path_is_refused(isolate, application):
    app = application({"requirements.txt": ""}, name="a:b")
    assert "has a colon in its path" in isolate("sync", cwd=app, status=2).err
    assert listing(app) == [str(app / "requirements.txt")]


def test_a_path_that_is_not_utf8_is_refused(tmp_path):
    directory = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    directory.mkdir()
    with pytest.raises(IsolateError, match="is not valid UTF-8"):
        Application.at(directory)
    shutil.rmtree(directory)


@pytest.mark.parametrize("command", ["sync", "check", "list", "lock", "run -- true", "sync --json"])
def test_a_current_directory_that_was_deleted_is_named(isolate, application, command):
    app = application({"requirements.txt": ""})
    result = shell(f"cd {app} && rm -r {app} && $ISOLATE {command}", app)
    assert result.returncode == 2
    assert "the current directory does not exist any more" in result.stderr


def test_a_path_that_python_reads_in_another_encoding_is_refused_and_the_remedy_works(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"}, name="größer")
    ascii_only = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    assert "set PYTHONUTF8=1" in isolate("sync", cwd=app, env=ascii_only, status=2).err
    assert listing(app) == [str(app / "requirements.txt")]
    isolate("sync", cwd=app, env={**ascii_only, "PYTHONUTF8": "1"})
    assert subprocess.run([app / ".venv/bin/alpha"], capture_output=True, text=True, check=True).stdout == "alpha 1.0\n"


def test_scripts_work_in_a_directory_with_a_newline_in_its_name(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"}, name="two\nlines")
    isolate("sync", cwd=app)
    done = subprocess.run([app / ".venv/bin/alpha"], capture_output=True, text=True, check=True)
    assert done.stdout == "alpha 1.0\n"


def test_a_pipe_instead_of_an_environment_is_refused(isolate, application):
    app = application({"requirements.txt": ""})
    os.mkfifo(app / ".venv")
    assert "not a directory" in isolate("sync", cwd=app, status=2).err


def test_a_relative_cache_home_is_ignored(isolated_home):
    directory = cache_directory({"XDG_CACHE_HOME": "somewhere"})
    assert directory.is_absolute()
    assert "somewhere" not in str(directory)


def test_unreadable_directories_of_version_managers_are_skipped(tmp_path, mocker):
    mocker.patch("pathlib.Path.glob", side_effect=PermissionError)
    pythons = list(version_manager_pythons({"PYENV_ROOT": str(tmp_path)}))
    mocker.stopall()
    assert pythons == []


def test_an_update_that_the_system_refuses_changes_nothing(isolate, synced, cache):
    # The environment has the same file (a hard link), at every step of the update.
    module = next(cache.glob("store-v1/entries/*/alpha-1.0-*/files/lib/*/site-packages/alpha/__init__.py"))
    if subprocess.run(["chattr", "+i", module], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be made immutable here")
    try:
        (synced / "requirements.txt").write_text("alpha==2.0\n")
        result = isolate("sync", cwd=synced, status=2)
        left = versions(synced / ".venv"), (synced / ".venv/.isolate/work").exists()
    finally:
        subprocess.run(["chattr", "-i", module], check=True)
    assert re.search(rf"error: .* \({re.escape(str(synced))}/\.venv/.*/alpha/__init__.py\)", result.err)
    assert left == ({"alpha": "1.0"}, False)
    isolate("sync", cwd=synced)
    assert versions(synced / ".venv") == {"alpha": "2.0"}
