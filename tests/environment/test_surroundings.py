"""Environments that are mounts, or come from a lower layer of overlayfs, or hold what cannot be changed."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import SOURCE, inconsistencies, versions
from kit.mounts import immutable, mounted, overlay

pytestmark = pytest.mark.store("warm")

DRIVER = Path(__file__).parent.parent / "faults/driver.py"
OLD, NEW = "alpha==1.0\nbeta==1.0\n", "alpha==1.1\nbeta==1.0\n"
REBUILD = ("sync", "--link-mode", "copy")


UNSTABLE = re.compile(r"^\.isolate/stamp$|/__pycache__/")
"""What a command may change although it changes nothing."""


def snapshot(venv):
    """Return every file of *venv* but the stamp and bytecode, with its content or target."""
    paths = sorted(path for path in venv.rglob("*") if path.is_symlink() or not path.is_dir())
    contents = {
        str(path.relative_to(venv)): os.readlink(path) if path.is_symlink() else path.read_bytes() for path in paths
    }
    return {path: content for path, content in contents.items() if not UNSTABLE.search(path)}


def is_whole(app, *expected):
    assert versions(app / ".venv") in expected
    assert inconsistencies(app / ".venv") == []
    assert not (app / ".venv/.isolate/work").exists()
    assert not (app / ".isolate-staging").exists()
    return True


@pytest.fixture
def built(isolate, application, index):
    """Return an application with an environment in which the user has a file."""
    app = application({"requirements.txt": OLD})
    isolate("sync", cwd=app)
    (app / ".venv/notes.txt").write_text("mine")
    return app


@pytest.fixture
def layered(built, tmp_path):
    """Return an application at the same path whose files are all in a lower layer."""
    lower = built.rename(tmp_path / "lower")
    (tmp_path / "lower-root").mkdir()
    lower.rename(tmp_path / "lower-root/app")
    with overlay(tmp_path / "lower-root", tmp_path / "layers") as merged:
        with mounted(built, "--bind", merged / "app"):
            yield built
        built.rmdir()


@pytest.mark.parametrize("command", [("sync",), REBUILD], ids=["change", "rebuild"])
def test_an_environment_from_a_lower_layer_is_changed(isolate, layered, command):
    (layered / "requirements.txt").write_text(NEW)
    isolate(*command, cwd=layered)
    assert is_whole(layered, {"alpha": "1.1", "beta": "1.0"})
    assert (layered / ".venv/notes.txt").read_text() == "mine"
    isolate("check", "--hash", cwd=layered)
    assert "nothing to do" in isolate("sync", cwd=layered).out
    isolate("rollback", cwd=layered)
    assert is_whole(layered, {"alpha": "1.0", "beta": "1.0"})


@pytest.mark.parametrize("command", [("sync",), REBUILD], ids=["change", "rebuild"])
def test_an_environment_that_is_a_mount_is_changed(isolate, built, tmp_path, command):
    kept = (built / ".venv").rename(tmp_path / "kept")
    with mounted(built / ".venv", "-t", "tmpfs", "tmpfs"):
        shutil.copytree(kept, built / ".venv", symlinks=True, dirs_exist_ok=True)
        (built / "requirements.txt").write_text(NEW)
        isolate(*command, cwd=built)
        assert is_whole(built, {"alpha": "1.1", "beta": "1.0"})
        assert (built / ".venv/notes.txt").read_text() == "mine"
        isolate("check", "--hash", cwd=built)
        assert "nothing to do" in isolate("sync", cwd=built).out


def test_an_environment_is_created_in_an_empty_mount(isolate, application, index):
    app = application({"requirements.txt": OLD})
    with mounted(app / ".venv", "-t", "tmpfs", "tmpfs"):
        isolate("sync", cwd=app)
        assert is_whole(app, {"alpha": "1.0", "beta": "1.0"})
        isolate("check", "--hash", cwd=app)
        assert "nothing to do" in isolate("sync", cwd=app).out


def drive(app, number, end, *arguments):
    command = [sys.executable, DRIVER, str(number), "before", end, "exchange", *arguments, "-q"]
    return subprocess.run(
        command,
        cwd=app,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        start_new_session=True,
        capture_output=True,
        text=True,
        check=False,
    )


MAX_STOPS = int(os.environ.get("FAULT_STEPS", "2"))
"""At how many renames of each kind of change it is stopped; `make faults` sets the variable to stop it at all."""


@pytest.mark.parametrize("command", [("sync",), REBUILD], ids=["change", "rebuild"])
@pytest.mark.parametrize("end", ["SIGKILL", "error"])
def test_a_change_in_a_lower_layer_is_whole_wherever_it_is_stopped(isolate, layered, command, end):
    stops_everywhere(isolate, layered, command, end)


@pytest.mark.parametrize("end", ["SIGKILL", "error"])
def test_a_rebuild_in_a_mount_is_whole_wherever_it_is_stopped(isolate, built, tmp_path, end):
    kept = (built / ".venv").rename(tmp_path / "kept")
    with mounted(built / ".venv", "-t", "tmpfs", "tmpfs"):
        shutil.copytree(kept, built / ".venv", symlinks=True, dirs_exist_ok=True)
        stops_everywhere(isolate, built, REBUILD, end)


def stops_everywhere(isolate, app, command, end):
    """Stop the change before some of its renames, and bring the old environment back each time.

    After a kill, the environment is the old or the new one once another command has run; after an error, at once.
    """
    isolate("sync", cwd=app)
    for _ in range(2):  # the first change of its kind also fills caches, with renames that later ones do not make
        declare(isolate, app, OLD)
        (app / "requirements.txt").write_text(NEW)
        done = drive(app, 0, end, *command)
    changes = int(re.search(r"changes: (\d+)", done.stderr)[1])
    assert changes > 3
    stopped = 0
    for number in sorted(random.Random(1).sample(range(1, changes + 1), min(MAX_STOPS, changes))):
        declare(isolate, app, OLD)
        before = snapshot(app / ".venv")
        (app / "requirements.txt").write_text(NEW)
        done = drive(app, number, end, *command)
        if end == "SIGKILL":
            assert done.returncode == -signal.SIGKILL
            isolate("history", cwd=app)
        elif done.returncode:
            assert done.returncode == 2, done.stderr
            assert snapshot(app / ".venv") == before, (number, done.stderr)
        stopped += done.returncode != 0
        assert is_whole(app, {"alpha": "1.0", "beta": "1.0"}, {"alpha": "1.1", "beta": "1.0"})
        assert (app / ".venv/notes.txt").read_text() == "mine"
    assert stopped >= min(MAX_STOPS, changes) // 2  # some failing renames are tolerated


def declare(isolate, app, text):
    (app / "requirements.txt").write_text(text)
    isolate("sync", "--link-mode", "auto", cwd=app)


IMMUTABLE = {
    "a module": "lib/*/site-packages/alpha/__init__.py",
    "metadata": "lib/*/site-packages/alpha-1.0.dist-info/METADATA",
    "a script": "bin/alpha",
    "a package": "lib/*/site-packages/alpha",
    "the state": ".isolate/state.json",
}


@pytest.mark.parametrize("kind", IMMUTABLE)
def test_a_change_that_the_system_refuses_is_rolled_back(isolate, built, kind):
    declare(isolate, built, NEW)
    declare(isolate, built, OLD)
    isolate("sync", "--link-mode", "copy", cwd=built)
    path = next((built / ".venv").glob(IMMUTABLE[kind]))
    before = snapshot(built / ".venv")
    (built / "requirements.txt").write_text(NEW)
    with immutable(path):
        result = isolate("sync", cwd=built, status=2)
        assert str(path) in result.err
        assert snapshot(built / ".venv") == before
        isolate("history", cwd=built)
        assert snapshot(built / ".venv") == before
    isolate("sync", cwd=built)
    assert is_whole(built, {"alpha": "1.1", "beta": "1.0"})


def test_a_change_is_rolled_back_whichever_rename_fails(isolate, built):
    stops_everywhere(isolate, built, ("sync",), "error")
