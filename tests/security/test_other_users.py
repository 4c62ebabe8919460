"""What belongs to another user of the machine is neither acted on nor changed, unless the user says that it is safe."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from conftest import SOURCE, versions
from isolate import owners
from isolate.environment.records import JOURNAL, STAGING, TRASH
from isolate.environment.staging import MARKER
from isolate.interpreters.version_file import read_version_file

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can give files away"),
    pytest.mark.store("warm", own_pip=True),
]
OTHER, THIRD = 54_321, 54_322
"""Ids that no user of this machine has."""


def give(path, user=OTHER):
    """Give *path* and everything below it to *user*."""
    for parent, directories, files in os.walk(path):
        for name in (*directories, *files):
            os.chown(os.path.join(parent, name), user, user, follow_symlinks=False)
    os.chown(path, user, user, follow_symlinks=False)


def contents(root):
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file() and not path.is_symlink()}


@pytest.fixture
def synced(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    return app


@pytest.fixture
def foreign(synced):
    """Return an application of another user whose environment has a journal."""
    venv = synced / ".venv"
    for name in (STAGING, TRASH):
        (venv / name).mkdir(parents=True)
    (venv / STAGING / "new").write_text("new")
    steps = [["remove", "pyvenv.cfg", f"{TRASH}/1"], ["add", f"{STAGING}/new", "bin/python"]]
    (venv / JOURNAL).write_text(json.dumps(steps))
    give(synced)
    return synced


LOOKING = (("check",), ("status",), ("history",), ("sync", "--dry-run"), ("list",), ("lock", "--check"))


def test_root_who_looks_acts_on_no_journal(isolate, foreign):
    before = contents(foreign)
    for command in LOOKING:
        isolate(*command, cwd=foreign, status=None)
        assert contents(foreign) == before, command


@pytest.mark.parametrize("command", [("sync",), ("sync", "--adopt"), ("rollback",), ("run", "--", "true")])
def test_the_environment_of_another_user_is_not_changed(isolate, foreign, command):
    before = contents(foreign)
    result = isolate(*command, cwd=foreign, status=2)
    assert f"{foreign / '.venv'} belongs to another user (user id {OTHER})" in result.err
    assert f"ISOLATE_SAFE_DIRECTORY={foreign}" in result.err
    assert contents(foreign) == before


def edit_and_keep_times(path):
    """Change a file as its owner can, so that neither its size nor its mtime tells."""
    status = path.stat()
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize(("part", "finding"), [(".venv", "modified file: "), (".venv/.isolate", "unsafe mode: ")])
def test_a_record_of_mine_in_the_environment_of_another_user_is_not_believed(isolate, synced, part, finding):
    """Root made it, and gave it away."""
    edit_and_keep_times(next(synced.glob(".venv/lib/*/site-packages/alpha/__init__.py")))
    give(synced / part)
    assert finding in isolate("check", cwd=synced, status=1).out
    assert "up to date: no" in isolate("status", cwd=synced).out


def test_a_directory_of_another_user_in_an_environment_is_unsafe(isolate, synced):
    package = next(synced.glob(".venv/lib/*/site-packages/alpha"))
    give(package)
    found = isolate("check", cwd=synced, status=1).out
    assert f"unsafe mode: other users may write to {package.relative_to(synced / '.venv')}" in found
    isolate("sync", "--verify", cwd=synced)
    assert package.stat().st_uid == os.geteuid()
    assert isolate("check", cwd=synced).out.startswith("OK")


def test_one_record_of_another_user_is_enough(isolate, synced):
    os.chown(synced / ".venv/.isolate/state.json", OTHER, OTHER)
    (synced / ".venv/.isolate/stamp").unlink()
    assert "state.json belongs to another user" in isolate("sync", cwd=synced, status=2).err


SAFE = {"all": "*", "this one": "{app}", "all below": "{parent}/*", "one of several": "/nowhere:{app}"}


@pytest.mark.parametrize("kind", SAFE)
def test_a_safe_directory_is_changed(isolate, synced, kind):
    give(synced)
    (synced / "requirements.txt").write_text("alpha==1.1\n")
    value = SAFE[kind].format(app=synced, parent=synced.parent)
    isolate("sync", cwd=synced, env={"ISOLATE_SAFE_DIRECTORY": value})
    assert versions(synced / ".venv") == {"alpha": "1.1"}


@pytest.mark.parametrize("value", ["/nowhere", "{parent}", "{app}/.venv", "{app}x/*", "**", ""])
def test_other_values_make_no_directory_safe(isolate, foreign, value):
    value = value.format(app=foreign, parent=foreign.parent)
    isolate("sync", cwd=foreign, status=2, env={"ISOLATE_SAFE_DIRECTORY": value})


def test_the_user_who_called_sudo_counts_as_own(isolate, synced):
    give(synced)
    (synced / "requirements.txt").write_text("alpha==1.1\n")
    for uid in (str(THIRD), "", "x", "-1"):
        isolate("sync", cwd=synced, status=2, env={"SUDO_UID": uid})
    isolate("sync", cwd=synced, env={"SUDO_UID": str(OTHER)})
    assert versions(synced / ".venv") == {"alpha": "1.1"}


def test_an_environment_is_made_beside_declarations_of_another_user(isolate, application, index):
    app = application({"requirements.txt": "alpha\n"})
    give(app)
    isolate("sync", cwd=app)
    isolate("check", cwd=app)
    assert "nothing to do" in isolate("sync", cwd=app).out


def test_a_staging_directory_of_another_user_stays(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    (app / ".isolate-staging/old").mkdir(parents=True)
    (app / ".isolate-staging/.gitignore").write_text(MARKER)
    give(app)
    isolate("check", cwd=app, status=1)
    isolate("sync", cwd=app)
    assert (app / ".isolate-staging/old").is_dir()
    assert versions(app / ".venv") == {"alpha": "1.0"}


@pytest.mark.parametrize("part", ["the directory", "the file"])
def test_a_version_file_above_that_belongs_to_another_user_does_not_count(tmp_path, part, monkeypatch):
    root = tmp_path / "shared/app"
    root.mkdir(parents=True)
    (root.parent / ".python-version").write_text("3.9\n")
    assert read_version_file(root) is not None
    os.chown(root.parent if part == "the directory" else root.parent / ".python-version", OTHER, OTHER)
    assert read_version_file(root) is None
    monkeypatch.setenv("SUDO_UID", str(OTHER))
    assert read_version_file(root) is not None
    monkeypatch.delenv("SUDO_UID")
    monkeypatch.setenv(owners.VARIABLE, str(root.parent))
    assert read_version_file(root) is not None


def test_the_version_file_of_the_application_counts_whoever_owns_it(tmp_path):
    (tmp_path / ".python-version").write_text("3.9\n")
    give(tmp_path)
    assert read_version_file(tmp_path) is not None


@pytest.fixture
def as_other(tmp_path):
    """Return a function that runs the command as another user, who may read everything and write to nothing."""
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is missing")
    home = tmp_path / "other-home"
    home.mkdir()
    give(home)
    drop = ["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups"]
    drop += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]

    def run(*arguments, cwd):
        command = [*drop, sys.executable, "-m", "isolate", *map(str, arguments)]
        environ = {**os.environ, "PYTHONPATH": str(SOURCE), "HOME": str(home), "ISOLATE_CACHE_DIR": str(home / "cache")}
        return subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False)

    return run


def test_another_user_uses_what_root_made_and_changes_nothing(synced, as_other):
    before = contents(synced)
    done = as_other("run", "--", "python", "-c", "import alpha; print('ran')", cwd=synced)
    assert (done.returncode, done.stdout) == (0, "ran\n"), done.stderr
    assert done.stderr.count("belongs to root") == 1
    for command in (("check",), ("status",), ("history",)):
        assert as_other(*command, cwd=synced).returncode in (0, 1)
    assert "belongs to another user (user id 0)" in as_other("sync", cwd=synced).stderr
    assert contents(synced) == before
