"""Where nothing names a Python, an application gets one for which its packages can be installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from isolate.interpreters.discovery import InterpreterFinder
from kit.packages import build_wheel
from kit.records import record_table

MINOR = sys.version_info[1]


def others():
    """Return a CPython of this machine by its minor version, without those for which isolate needs an older pip."""
    found = InterpreterFinder(cache=None, environ=os.environ).discover_all()
    pythons = {int(python.minor_version.split(".")[1]): python for python in found if not python.free_threaded}
    return {minor: python for minor, python in sorted(pythons.items()) if minor >= 10 and minor != MINOR}


OTHERS = others()
NEWER = [python for minor, python in OTHERS.items() if minor > MINOR]
OLDER = [python for minor, python in OTHERS.items() if minor < MINOR]
needs_newer = pytest.mark.skipif(not NEWER, reason="there is no newer Python here")


@pytest.fixture
def everywhere(monkeypatch):
    """Put all other Pythons of the machine on `PATH`, behind the one of the tests."""
    directories = [str(Path(python.executable).parent) for python in OTHERS.values()]
    monkeypatch.setenv("PATH", os.pathsep.join([os.environ["PATH"], *directories]))


def python_of(app):
    return record_table(app / ".venv/.isolate/state.json")["interpreter"]["version"]


@needs_newer
@pytest.mark.parametrize("requirement", ["fresh==1.0", "fresh", "user"])
def test_the_next_python_that_the_packages_allow_is_taken_and_said(
    isolate, application, index, everywhere, requirement
):
    build_wheel(index.directory, "fresh", "1.0", requires_python=f">={NEWER[0].minor_version}")
    build_wheel(index.directory, "user", "1.0", requires=["fresh"])
    app = application({"requirements.txt": f"{requirement}\n"})
    result = isolate("sync", cwd=app)
    needed = f"fresh requires Python >={NEWER[0].minor_version}"
    assert f"{needed}; trying Python {NEWER[0].version}" in result.err
    assert f"({needed})" in result.out
    assert python_of(app) == NEWER[0].version
    assert isolate("check", cwd=app).out.startswith("OK: ")
    assert "nothing to do" in isolate("sync", cwd=app).out
    (app / "requirements.txt").write_text(f"{requirement}\nalpha==1.0\n")
    assert "trying" not in isolate("sync", cwd=app).err, "the environment keeps its Python"
    assert python_of(app) == NEWER[0].version


@pytest.mark.skipif(not OLDER, reason="there is no older Python here")
def test_an_older_python_is_taken_where_the_packages_say_that_this_one_is_too_new(
    isolate, application, index, everywhere
):
    build_wheel(index.directory, "aged", "1.0", requires_python=f"<{sys.version_info[0]}.{MINOR}")
    app = application({"requirements.txt": "aged==1.0\n"})
    isolate("lock", cwd=app)
    assert isolate("sync", cwd=app).err.count("trying Python") <= 1
    assert python_of(app) == OLDER[-1].version


@needs_newer
def test_an_environment_moves_to_the_python_that_its_packages_need(isolate, application, index, everywhere):
    build_wheel(index.directory, "fresh", "1.0", requires_python=f">={NEWER[0].minor_version}")
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    before = python_of(app)
    (app / "requirements.txt").write_text("alpha==1.0\nfresh==1.0\n")
    assert f"recreated .venv: Python {before} → {NEWER[0].version}" in isolate("sync", cwd=app).out


@needs_newer
@pytest.mark.parametrize("named", ["option", "setting", "file"])
def test_a_python_that_is_named_is_never_exchanged(isolate, application, index, everywhere, named):
    build_wheel(index.directory, "fresh", "1.0", requires_python=f">={NEWER[0].minor_version}")
    app = application({"requirements.txt": "fresh==1.0\n"})
    version = f"{sys.version_info[0]}.{MINOR}"
    options = ["--python", version] if named == "option" else []
    if named == "setting":
        (app / "pyproject.toml").write_text(f'[tool.isolate]\npython = "{version}"\n')
    if named == "file":
        (app / ".python-version").write_text(version)
    message = isolate("sync", *options, cwd=app, status=2).err
    assert "requires a different Python" in message
    assert "trying" not in message


@needs_newer
def test_packages_that_no_python_runs_together_are_refused(isolate, application, index, everywhere):
    build_wheel(index.directory, "fresh", "1.0", requires_python=f">={NEWER[0].minor_version}")
    build_wheel(index.directory, "aged", "1.0", requires_python=f"<{NEWER[0].minor_version}")
    app = application({"requirements.txt": "aged==1.0\nfresh==1.0\n"})
    message = isolate("sync", cwd=app, status=2).err
    assert message.count("trying Python") == 1
    assert "requires a different Python" in message
    assert not (app / ".venv").exists()


@needs_newer
def test_hints_decide_which_python_a_new_environment_gets(isolate, application, index, everywhere):
    app = application({"requirements.txt": "alpha==1.0\n", "runtime.txt": f"python-{NEWER[0].minor_version}.99\n"})
    result = isolate("sync", cwd=app)
    assert f"(Python {NEWER[0].minor_version}.99 in runtime.txt)" in result.out
    assert python_of(app) == NEWER[0].version
    (app / "runtime.txt").write_text("python-3.99.1\n")
    (app / "requirements.txt").write_text("alpha==2.0\n")
    isolate("sync", cwd=app)
    assert python_of(app) == NEWER[0].version, "an environment keeps its Python"


def test_a_hint_that_no_python_meets_is_said_with_v(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n", "runtime.txt": "python-3.99.1\n"})
    assert "ignored Python 3.99.1 in runtime.txt" in isolate("sync", "-v", cwd=app).err


def test_a_version_file_that_no_python_meets_names_those_that_are_there(isolate, application, tmp_path, monkeypatch):
    app = application({"requirements.txt": "", ".python-version": "3.99.1\n"})
    message = isolate("sync", cwd=app, status=2).err
    assert ".python-version: 3.99.1 asks for a Python that is not installed" in message
    assert f"{sys.version_info[0]}.{MINOR}.{sys.version_info[2]}  /" in message
    assert "hint: install it, or choose a different one with --python" in message
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/uv").write_text("#!/bin/sh\nexit 9\n")
    (tmp_path / "bin/uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}{os.pathsep}{tmp_path / 'bin'}")
    message = isolate("sync", cwd=app, status=2).err
    assert "hint: install it with `uv python install 3.99.1`, or choose a different one with --python" in message
