"""The examples work, with a local index that has the packages they pin."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from conftest import SOURCE, inconsistencies, versions
from kit.packages import build_wheel
from kit.pythons import OTHER_PYTHONS

EXAMPLES = SOURCE.parent / "examples"
SETTINGS = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
APPLICATIONS = ["services/newer", "services/web", "services/worker", "tools/report"]


@pytest.fixture
def examples(tmp_path, index, cache):
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns(".venv"))
    for version in ("7.1.2", "8.1.8"):
        build_wheel(index.directory, "click", version)
    command = tmp_path / "isolate"
    command.write_text(f'#!/bin/sh\nPYTHONPATH={SOURCE} exec {sys.executable} -m isolate "$@"\n')
    command.chmod(0o755)
    return tmp_path / "examples"


def make(directory, *arguments):
    command = ["make", "-s", f"ISOLATE={directory.parent}/isolate", *arguments]
    done = subprocess.run(
        command, cwd=directory, env=os.environ, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_versions_run_side_by_side(examples):
    lines = make(examples, "demo").splitlines()
    assert [line.split(" in ")[0] for line in lines] == ["app-a: click 7.1.2", "app-b: click 8.1.8"]
    make(examples, "check")


def test_make_does_not_delete_the_record_of_an_environment_as_an_intermediate_file(examples):
    shutil.copytree(examples / "app-a", examples / "unlisted")
    make(examples, "unlisted/installed.txt")
    assert (examples / "unlisted/.venv/.isolate/state.json").exists()


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


@pytest.fixture
def repository(examples):
    """The repository of four applications; `newer` gets a second Python of this machine."""
    if not OTHER_PYTHONS:
        pytest.skip("this machine has only one Python")
    root = examples / "repository"
    (root / "services/newer/.python-version").write_text(f"{OTHER_PYTHONS[0].executable}\n")
    (root / "isolate").symlink_to(examples.parent / "isolate")
    return root


def test_make_works_on_several_applications_at_once(repository):
    make(repository, "-j", "4", f"ISOLATE={repository}/isolate")
    for name in APPLICATIONS:
        assert inconsistencies(repository / name / ".venv") == []
    assert versions(repository / "services/worker/.venv") == {"click": "7.1.2"}
    assert versions(repository / "services/web/.venv") == {"click": "8.1.8"}
    assert (repository / "tools/report/pylock.toml").exists()
    newer = (repository / "services/newer/.venv/bin/python").resolve()
    assert newer != (repository / "services/web/.venv/bin/python").resolve()
    make(repository, "check", f"ISOLATE={repository}/isolate")
    assert "services/web  " in make(repository, "status", f"ISOLATE={repository}/isolate")
    assert "click" in make(repository, "conflicts", f"ISOLATE={repository}/isolate")
    assert "<title>" in (repository / "conflicts.html").read_text()
    output = make(repository, "services/worker", f"ISOLATE={repository}/isolate")
    assert output.startswith("click 7.1.2 in ")


@pytest.mark.network
def test_hooks_check_and_sync_all_applications(repository, tmp_path, monkeypatch):
    """Runs the real pre-commit with the hooks of this repository."""
    if not (SOURCE.parent / ".git").exists():
        pytest.skip("this is not a git repository")
    local = os.environ["PIP_INDEX_URL"]
    monkeypatch.delenv("PIP_INDEX_URL")
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", venv], check=True)
    install = [sys.executable, "-m", "pip", "--python", venv / "bin/python", "install", "-q", "pre-commit"]
    if subprocess.run(install, capture_output=True, check=False).returncode:
        pytest.skip("the package index cannot be reached")
    config = repository / ".pre-commit-config.yaml"
    head = subprocess.run(["git", "-C", SOURCE, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    config.write_text(
        config.read_text().replace("../isolate", str(SOURCE.parent)).replace("v0.1.0", head.stdout.strip())
    )
    (repository / "isolate").unlink()
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=repository, check=True)
    hooks = venv / "bin/pre-commit"
    subprocess.run([hooks, "install-hooks"], cwd=repository, check=True, capture_output=True)
    monkeypatch.setenv("PIP_INDEX_URL", local)
    checking = [hooks, "run", "--all-files", "isolate-check"]
    syncing = [hooks, "run", "--all-files", "--hook-stage", "post-merge", "isolate-sync"]
    before = subprocess.run(checking, cwd=repository, capture_output=True, text=True, check=False)
    assert before.returncode == 1
    assert "missing environment" in before.stdout
    synced = subprocess.run(syncing, cwd=repository, capture_output=True, text=True, check=False)
    assert synced.returncode == 0, synced.stdout
    after = subprocess.run(checking, cwd=repository, capture_output=True, text=True, check=False)
    assert after.returncode == 0, after.stdout
    assert versions(repository / "services/worker/.venv") == {"click": "7.1.2"}
