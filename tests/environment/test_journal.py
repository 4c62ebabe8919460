"""A change of an environment is planned as renames, written down, and finished by the next process if it is killed."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isolate.environment.journal import commit, replay
from isolate.environment.journal_plan import plan_steps
from isolate.environment.pycache import source_of
from isolate.environment.records import JOURNAL, OLD_JOURNAL, STAGING, TRASH
from isolate.errors import NotManaged

SITE = "lib/python3.x/site-packages"
OLD_ACTION = {"remove": "out", "add": "in"}
"""What earlier versions call the actions in their journals."""


def put(root, paths, text):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def files(root):
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def venv(tmp_path):
    (tmp_path / SITE).mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    return tmp_path


def replace(venv, removed, added):
    put(venv / STAGING, added, "new")
    steps = plan_steps(venv, removed, added, SITE)
    commit(venv, steps)
    return steps


def test_a_package_moves_as_one_directory(venv):
    old = [f"{SITE}/a/{number}.py" for number in range(50)]
    put(venv, old, "old")
    steps = replace(venv, old, [f"{SITE}/a/0.py", f"{SITE}/a/b/1.py"])
    assert len(steps) == 2
    assert files(venv) == {f"{SITE}/a/0.py": "new", f"{SITE}/a/b/1.py": "new"}


def test_a_shared_directory_stays_and_its_files_move(venv):
    put(venv, [f"{SITE}/ns/a.py", f"{SITE}/ns/other.py", f"{SITE}/ns/sub/x.py"], "old")
    replace(venv, [f"{SITE}/ns/a.py", f"{SITE}/ns/sub/x.py"], [f"{SITE}/ns/a.py"])
    assert files(venv) == {f"{SITE}/ns/a.py": "new", f"{SITE}/ns/other.py": "old"}
    assert not (venv / SITE / "ns/sub").exists()


def test_compiled_files_are_removed_with_their_source(venv):
    put(
        venv,
        [f"{SITE}/six.py", f"{SITE}/__pycache__/six.cpython-311.pyc", f"{SITE}/__pycache__/mine.cpython-311.pyc"],
        "old",
    )
    replace(venv, [f"{SITE}/six.py"], [])
    assert set(files(venv)) == {f"{SITE}/__pycache__/mine.cpython-311.pyc"}


def test_a_file_in_the_way_is_never_overwritten(venv):
    put(venv, ["bin/tool"], "mine")
    put(venv / STAGING, ["bin/tool"], "new")
    with pytest.raises(NotManaged, match="in the way"):
        plan_steps(venv, [], ["bin/tool"], SITE)
    assert (venv / "bin/tool").read_text() == "mine"


@pytest.mark.parametrize("path", [f"{SITE}/a.py", "share/a"])
def test_a_directory_where_a_new_file_belongs_is_in_the_way(venv, path):
    put(venv, [f"{path}/note"], "mine")
    with pytest.raises(NotManaged, match="in the way"):
        replace(venv, [], [path])
    assert (venv / path / "note").read_text() == "mine"


@pytest.mark.parametrize("path", [f"{SITE}/a", "share/a"])
def test_a_file_replaces_a_directory_that_is_removed(venv, path):
    put(venv, [f"{path}/old"], "old")
    replace(venv, [f"{path}/old"], [path])
    assert files(venv) == {path: "new"}


@pytest.mark.parametrize("is_old", [False, True], ids=["current journal", "journal of an earlier version"])
def test_a_change_stopped_after_any_number_of_steps_is_finished(venv, tmp_path_factory, is_old):
    old = [f"{SITE}/a/1.py", f"{SITE}/b.py", "bin/a", f"{SITE}/a-1.dist-info/RECORD"]
    new = [f"{SITE}/a/1.py", f"{SITE}/c/x.py", "bin/a", f"{SITE}/a-2.dist-info/RECORD"]
    put(venv, old, "old")
    put(venv / STAGING, new, "new")
    steps = plan_steps(venv, old, new, SITE)
    (venv / TRASH).mkdir()
    if is_old:
        rows = [[OLD_ACTION[step.action], step.source, step.target] for step in steps]
        (venv / OLD_JOURNAL).write_text(json.dumps(rows))
    else:
        (venv / JOURNAL).write_text(json.dumps(steps))
    for number, step in enumerate(steps):
        if os.path.lexists(venv / step.source):
            os.replace(venv / step.source, venv / step.target)
        snapshot = tmp_path_factory.mktemp("snapshots") / str(number)
        shutil.copytree(venv, snapshot, symlinks=True)
        assert replay(snapshot)
        assert files(snapshot) == dict.fromkeys(new, "new")


PATHS = st.sampled_from(
    [f"{SITE}/{path}" for path in ("a/1.py", "a/2.py", "a/b/3.py", "ns/x.py", "ns/y/z.py", "top.py", "d-1.dist-info/R")]
    + ["bin/t", "share/m/1"]
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(PATHS), st.sets(PATHS), st.sets(PATHS))
def test_after_a_change_there_are_the_kept_and_the_new_files(tmp_path_factory, removed, added, mine):
    root = tmp_path_factory.mktemp("venv")
    mine = {f"{path}.mine" for path in mine}
    put(root, removed, "old")
    put(root, mine, "mine")
    put(root, [f"{SITE}/pip/x"], "kept")
    replace(root, removed, sorted(added))
    expected = dict.fromkeys(added, "new") | dict.fromkeys(mine, "mine") | {f"{SITE}/pip/x": "kept"}
    assert files(root) == expected


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("a/__pycache__/m.cpython-311.pyc", "a/m.py"),
        ("a/__pycache__/m.cpython-311.opt-1.pyc", "a/m.py"),
        ("__pycache__/m.cpython-38.pyc", "m.py"),
        ("a/m.pyc", None),
        ("a/__pycache__/notes.txt", None),
    ],
)
def test_the_source_of_a_compiled_file_is_known(path, source):
    assert source_of(path) == source


JUNK = {
    "empty": b"",
    "not text": b"\xff",
    "not a list": b"5",
    "not steps": b"[1, null]",
    "a step that is too short": b'[["add", "bin/a"]]',
    "a step without text": b"[[1, 2, 3]]",
    "an unhashable action": b'[[[], "bin/a", "bin/b"]]',
    "an unknown action": b'[["up", "bin/a", "bin/b"]]',
    "a NUL": b'[["add", "bin/a\\u0000", "bin/b"]]',
    "too deeply nested": b"[" * 100_000,
}


@pytest.mark.parametrize("path", [JOURNAL, OLD_JOURNAL])
@pytest.mark.parametrize("kind", JUNK)
def test_an_unreadable_journal_is_deleted_and_nothing_else_is_touched(venv, kind, path):
    put(venv, ["bin/a"], "old")
    (venv / path).parent.mkdir(parents=True)
    (venv / path).write_bytes(JUNK[kind])
    assert not replay(venv)
    assert files(venv) == {"bin/a": "old"}


def test_a_journal_that_is_a_dangling_link_is_deleted(venv):
    (venv / JOURNAL).parent.mkdir(parents=True)
    (venv / JOURNAL).symlink_to("nowhere")
    assert not replay(venv)
    assert not (venv / ".isolate/work").exists()


OUTSIDE = [("add", "../outside", "bin/a"), ("remove", "bin/a", "../b"), ("remove", "/outside", "bin/b")]


@pytest.mark.parametrize("step", OUTSIDE)
def test_a_journal_that_leads_out_of_the_environment_is_not_replayed(tmp_path, step):
    venv, outside = tmp_path / "app/.venv", tmp_path / "app/outside"
    put(venv, ["bin/a"], "mine")
    outside.write_text("mine")
    (venv / JOURNAL).parent.mkdir(parents=True)
    action, source, target = (outside if part == "/outside" else part for part in step)
    (venv / JOURNAL).write_text(json.dumps([[action, str(source), str(target)]]))
    replay(venv)
    assert files(tmp_path / "app") == {".venv/bin/a": "mine", "outside": "mine"}


@pytest.mark.parametrize("command", ["check", "status", "sync", "history"])
def test_a_command_works_on_an_environment_with_an_unreadable_journal(isolate, application, index, command):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    module = next(app.glob(".venv/lib/*/site-packages/alpha/__init__.py"))
    text = module.read_text()
    module.chmod(0o644)
    module.write_text("half = 'updated'\n")
    (app / ".venv" / JOURNAL).parent.mkdir()
    (app / ".venv" / JOURNAL).write_text("junk")
    isolate(command, cwd=app, status=1 if command == "check" else 0)
    assert not (app / ".venv" / JOURNAL).exists()
    isolate("sync", cwd=app)
    assert module.read_text() == text
