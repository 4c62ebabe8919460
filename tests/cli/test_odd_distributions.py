"""Wheels and trees that no tool makes, and limits that leave little room: an answer or a clear error, never a crash."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile

import pytest

from conftest import SOURCE, versions
from kit.packages import build_tree, build_wheel

DEEP = 500
"""Levels of a tree, half of Python's limit of recursion."""


def wheel_with(index, *, replace=(), **options):
    """Write a wheel of `odd` into *index*, and replace bytes in it, at equal length."""
    wheel = build_wheel(index.directory, "odd", "1.0", **options)
    content = wheel.read_bytes()
    for old, new in replace:
        assert old in content
        assert len(old) == len(new)
        content = content.replace(old, new)
    wheel.write_bytes(content)
    return wheel


def rewritten(index, name, content):
    """Write a wheel of `odd` whose metadata file *name* has *content*."""
    wheel = build_wheel(index.directory, "odd", "1.0")
    with zipfile.ZipFile(wheel) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    members[f"odd-1.0.dist-info/{name}"] = content
    with zipfile.ZipFile(wheel, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)


LONG = "n" * 300
ODD_WHEELS = {
    "a NUL in a name": lambda index: wheel_with(index, files={"odd/x#y.py": ""}, replace=[(b"x#y.py", b"x\0y.py")]),
    "a deep tree": lambda index: wheel_with(index, files={"odd/" + "d/" * DEEP + "m.py": ""}),
    "a tree too deep for a path": lambda index: wheel_with(index, files={"odd/" + "d/" * 2100 + "m.py": ""}),
    "a file with a long name": lambda index: wheel_with(index, files={f"odd/{LONG}.py": ""}),
    "RECORD is not text": lambda index: rewritten(index, "RECORD", b"\xff\xfe\0x,,\n"),
    "RECORD has a NUL": lambda index: rewritten(index, "RECORD", b"odd/__init__.py\0,,\n"),
    "RECORD is not CSV": lambda index: rewritten(index, "RECORD", b'"odd/__init__.py,,\nx\n'),
    "RECORD has a huge field": lambda index: rewritten(index, "RECORD", b"x" * 200_000 + b",,\n"),
    "RECORD is empty": lambda index: rewritten(index, "RECORD", b""),
    "METADATA is not UTF-8": lambda index: rewritten(
        index, "METADATA", b"Metadata-Version: 2.1\nName: odd\nVersion: 1.0\nSummary: \xff\xe9\n\n\xff"
    ),
    "METADATA is empty": lambda index: rewritten(index, "METADATA", b""),
    "METADATA has another name": lambda index: rewritten(
        index, "METADATA", b"Metadata-Version: 2.1\nName: even\nVersion: 1.0\n"
    ),
    "WHEEL is not text": lambda index: rewritten(index, "WHEEL", b"\xff\xfe\0"),
    "entry points are not text": lambda index: rewritten(index, "entry_points.txt", b"\xff\xfe\0"),
    "it is not an archive": lambda index: wheel_with(index).write_bytes(b"not a zip"),
    "it is empty": lambda index: wheel_with(index).write_bytes(b""),
    "it is cut off": lambda index: os.truncate(wheel_with(index), 300),
}


def outcome(result):
    """Check that *result* is an answer or a clear error, and return its exit status."""
    assert result.status in (0, 1, 2), result.err
    assert "internal error" not in result.err
    if result.status == 2:
        assert result.err.splitlines()[-1].strip()
        assert "error: " in result.err
    return result.status


@pytest.mark.parametrize("how", ODD_WHEELS)
def test_an_odd_wheel_is_installed_or_refused(isolate, application, index, how):
    ODD_WHEELS[how](index)
    app = application({"requirements.txt": "odd\nalpha==1.0\n"})
    if outcome(isolate("sync", cwd=app, status=None)) == 0:
        isolate("check", "--hash", cwd=app)
        assert versions(app / ".venv") == {"alpha": "1.0", "odd": "1.0"}
        isolate("store", "verify")
    else:
        assert not (app / ".venv").exists()


def deep(directory):
    """Make a tree of `DEEP` levels in *directory*, without a path that is too long for the system."""
    handle = os.open(directory, os.O_RDONLY)
    for _ in range(DEEP):
        os.mkdir("deep", dir_fd=handle)
        inner = os.open("deep", os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = inner
    os.close(os.open("file.py", os.O_CREAT | os.O_WRONLY, dir_fd=handle))
    os.close(handle)


@pytest.mark.parametrize("place", [".", "lib"])
def test_a_deep_tree_in_an_environment_is_no_obstacle(isolate, application, index, place):
    del index
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    [site] = app.glob(".venv/lib/*/site-packages") if place == "lib" else [app / ".venv"]
    deep(site)
    for command in ("check --hash", "status", "sync", "sync --verify", "store gc", "list --all"):
        outcome(isolate(*command.split(), cwd=app, status=None))
    (app / ".venv/pyvenv.cfg").write_text("edited")  # needs a new environment
    (app / "requirements.txt").write_text("alpha==2.0\n")
    outcome(isolate("sync", cwd=app, status=None))


def test_a_deep_tree_in_a_source_tree_is_no_obstacle(isolate, application, tmp_path):
    tree = build_tree(tmp_path / "library", "library", "1.0")
    deep(tree / "src")
    app = application({"requirements.txt": f"{tree}\n"})
    for command in ("sync", "check", "sync"):
        outcome(isolate(*command.split(), cwd=app, status=None))


def test_a_deep_tree_among_applications_is_no_obstacle(isolate, application):
    app = application({"requirements.txt": ""})
    deep(app)
    assert isolate("list", "--all", cwd=app).status == 0


@pytest.mark.parametrize(
    "line", [LONG, f"{LONG}==1.0", f"alpha[{LONG}]", f"./{LONG}", f"{LONG} @ https://127.0.0.1:1/x"]
)
def test_a_long_name_is_an_error(isolate, application, index, line):
    del index
    app = application({"requirements.txt": f"{line}\n"})
    for command in ("sync", "check", "list", "lock"):
        outcome(isolate(command, cwd=app, status=None))


LIMITS = ["-n 20", "-n 8", "-f 10", "-v 300000", "-v 100000"]


@pytest.mark.parametrize("limit", LIMITS)
def test_little_room_is_an_error_or_enough(application, index, cache, limit):
    del index, cache
    app = application({"requirements.txt": "alpha==1.0\nbeta==1.0\n"})
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
    command = f"ulimit {limit} && exec {sys.executable} -m isolate sync"
    done = subprocess.run(["bash", "-c", command], cwd=app, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 2), done.stderr
    assert "internal error" not in done.stderr
