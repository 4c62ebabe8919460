"""The examples do what they say, on an index of this machine that has the packages they pin."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from conftest import SOURCE
from kit.packages import build_wheel

EXAMPLES = SOURCE.parent / "examples"


@pytest.fixture
def examples(tmp_path, index, cache):
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns(".venv"))
    for version in ("7.1.2", "8.1.8"):
        build_wheel(index.folder, "click", version)
    command = tmp_path / "isolate"
    command.write_text(f'#!/bin/sh\nPYTHONPATH={SOURCE} exec {sys.executable} -m isolate "$@"\n')
    command.chmod(0o755)
    return tmp_path / "examples"


def make(folder, *arguments):
    command = ["make", "-s", f"ISOLATE={folder.parent}/isolate", *arguments]
    done = subprocess.run(command, cwd=folder, env=os.environ, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_versions_run_side_by_side(examples):
    lines = make(examples, "demo").splitlines()
    assert [line.split(" in ")[0] for line in lines] == ["app-a: click 7.1.2", "app-b: click 8.1.8"]
    make(examples, "check")


def test_make_does_nothing_until_the_environment_changes(examples):
    target = "app-a/installed.txt"
    assert make(examples, target) == f"made {target}\n"
    assert make(examples, target) == ""
    pins = examples / "app-a/requirements.txt"
    pins.write_text("# a comment\n" + pins.read_text())
    assert make(examples, target) == ""
    pins.write_text("click==8.1.8\n")
    assert make(examples, target) == f"made {target}\n"
    assert make(examples, target) == ""


def test_make_notices_an_install_by_hand(examples):
    target = "app-a/installed.txt"
    make(examples, target)
    python = examples / "app-a/.venv/bin/python"
    subprocess.run([python, "-m", "pip", "install", "-q", "click==8.1.8"], check=True, capture_output=True)
    assert make(examples, target) == f"made {target}\n"
    assert "click==7.1.2" in (examples / target).read_text()
