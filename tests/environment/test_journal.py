from __future__ import annotations

import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isolate.environment.journal import JOURNAL, STAGING, finish_switch, plan_switch, source_of, switch
from isolate.errors import NotManaged

SITE = "lib/python3.x/site-packages"


def put(root, paths, text):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def files(root):
    return {
        os.path.relpath(os.path.join(folder, name), root): (open_text(os.path.join(folder, name)))
        for folder, _, names in os.walk(root)
        for name in names
    }


def open_text(path):
    with open(path) as file:
        return file.read()


@pytest.fixture
def venv(tmp_path):
    (tmp_path / SITE).mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    return tmp_path


def exchange(venv, leaving, arriving):
    put(venv / STAGING, arriving, "new")
    steps = plan_switch(venv, leaving, arriving, SITE)
    switch(venv, steps)
    return steps


def test_a_package_moves_as_one_directory(venv):
    old = [f"{SITE}/a/{number}.py" for number in range(50)]
    put(venv, old, "old")
    steps = exchange(venv, old, [f"{SITE}/a/0.py", f"{SITE}/a/b/1.py"])
    assert len(steps) == 2
    assert files(venv) == {f"{SITE}/a/0.py": "new", f"{SITE}/a/b/1.py": "new"}


def test_a_directory_that_others_share_stays_and_its_files_move(venv):
    put(venv, [f"{SITE}/ns/a.py", f"{SITE}/ns/other.py", f"{SITE}/ns/sub/x.py"], "old")
    exchange(venv, [f"{SITE}/ns/a.py", f"{SITE}/ns/sub/x.py"], [f"{SITE}/ns/a.py"])
    assert files(venv) == {f"{SITE}/ns/a.py": "new", f"{SITE}/ns/other.py": "old"}
    assert not (venv / SITE / "ns/sub").exists()


def test_compiled_files_go_with_their_source(venv):
    put(
        venv,
        [f"{SITE}/six.py", f"{SITE}/__pycache__/six.cpython-311.pyc", f"{SITE}/__pycache__/mine.cpython-311.pyc"],
        "old",
    )
    exchange(venv, [f"{SITE}/six.py"], [])
    assert set(files(venv)) == {f"{SITE}/__pycache__/mine.cpython-311.pyc"}


def test_a_file_in_the_way_is_never_overwritten(venv):
    put(venv, ["bin/tool"], "mine")
    put(venv / STAGING, ["bin/tool"], "new")
    with pytest.raises(NotManaged, match="in the way"):
        plan_switch(venv, [], ["bin/tool"], SITE)
    assert (venv / "bin/tool").read_text() == "mine"


@pytest.mark.parametrize("path", [f"{SITE}/a.py", "share/a"])
def test_a_directory_where_a_file_is_to_arrive_is_in_the_way(venv, path):
    put(venv, [f"{path}/note"], "somebody's")
    with pytest.raises(NotManaged, match="in the way"):
        exchange(venv, [], [path])
    assert (venv / path / "note").read_text() == "somebody's"


@pytest.mark.parametrize("path", [f"{SITE}/a", "share/a"])
def test_a_file_takes_the_place_of_a_directory_that_leaves(venv, path):
    put(venv, [f"{path}/old"], "old")
    exchange(venv, [f"{path}/old"], [path])
    assert files(venv) == {path: "new"}


def test_a_switch_stopped_after_any_number_of_steps_is_finished(venv, tmp_path):
    old = [f"{SITE}/a/1.py", f"{SITE}/b.py", "bin/a", f"{SITE}/a-1.dist-info/RECORD"]
    new = [f"{SITE}/a/1.py", f"{SITE}/c/x.py", "bin/a", f"{SITE}/a-2.dist-info/RECORD"]
    put(venv, old, "old")
    put(venv / STAGING, new, "new")
    steps = plan_switch(venv, old, new, SITE)
    (venv / ".isolate/work/trash").mkdir()
    (venv / JOURNAL).write_text(json.dumps(steps))
    for step in steps:
        if os.path.lexists(venv / step.source):
            os.replace(venv / step.source, venv / step.target)
        snapshot = tmp_path.parent / f"{tmp_path.name}-copy"
        copy_tree(venv, snapshot)
        assert finish_switch(snapshot)
        assert files(snapshot) == dict.fromkeys(new, "new")
        remove_tree(snapshot)


def copy_tree(source, target):
    import shutil

    shutil.copytree(source, target, symlinks=True)


def remove_tree(folder):
    import shutil

    shutil.rmtree(folder)


PATHS = st.sampled_from(
    [f"{SITE}/{path}" for path in ("a/1.py", "a/2.py", "a/b/3.py", "ns/x.py", "ns/y/z.py", "top.py", "d-1.dist-info/R")]
    + ["bin/t", "share/m/1"]
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(PATHS), st.sets(PATHS), st.sets(PATHS))
def test_after_a_switch_there_is_what_stayed_and_what_arrived(tmp_path_factory, leaving, arriving, mine):
    root = tmp_path_factory.mktemp("venv")
    mine = {f"{path}.mine" for path in mine}
    put(root, leaving, "old")
    put(root, mine, "mine")
    put(root, [f"{SITE}/pip/x"], "kept")
    exchange(root, leaving, sorted(arriving))
    expected = dict.fromkeys(arriving, "new") | dict.fromkeys(mine, "mine") | {f"{SITE}/pip/x": "kept"}
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
    "nothing": b"",
    "no text": b"\xff",
    "no list": b"5",
    "no steps": b"[1, null]",
    "too short a step": b'[["in", "bin/a"]]',
    "no words": b"[[1, 2, 3]]",
    "no way": b'[["up", "bin/a", "bin/b"]]',
    "a NUL": b'[["in", "bin/a\\u0000", "bin/b"]]',
    "too deep": b"[" * 100_000,
}


@pytest.mark.parametrize("kind", JUNK)
def test_a_list_that_cannot_be_read_is_cleared_away_and_nothing_else_is_touched(venv, kind):
    put(venv, ["bin/a"], "old")
    (venv / JOURNAL).parent.mkdir(parents=True)
    (venv / JOURNAL).write_bytes(JUNK[kind])
    assert not finish_switch(venv)
    assert files(venv) == {"bin/a": "old"}


OUT_OF_IT = [("in", "../outside", "bin/a"), ("out", "bin/a", "../b"), ("out", "/outside", "bin/b")]


@pytest.mark.parametrize("step", OUT_OF_IT)
def test_a_list_that_leads_out_of_the_environment_is_not_carried_out(tmp_path, step):
    venv, outside = tmp_path / "app/.venv", tmp_path / "app/outside"
    put(venv, ["bin/a"], "mine")
    outside.write_text("mine")
    (venv / JOURNAL).parent.mkdir(parents=True)
    direction, source, target = (outside if part == "/outside" else part for part in step)
    (venv / JOURNAL).write_text(json.dumps([[direction, str(source), str(target)]]))
    finish_switch(venv)
    assert files(tmp_path / "app") == {".venv/bin/a": "mine", "outside": "mine"}


@pytest.mark.parametrize("command", ["check", "status", "sync", "history"])
def test_a_command_does_its_work_where_the_list_of_a_switch_is_junk(isolate, application, index, command):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    module = next(app.glob(".venv/lib/*/site-packages/alpha/__init__.py"))
    text = module.read_text()
    module.chmod(0o644)
    module.write_text("half = 'switched'\n")
    (app / ".venv" / JOURNAL).parent.mkdir()
    (app / ".venv" / JOURNAL).write_text("junk")
    isolate(command, cwd=app, status=1 if command == "check" else 0)
    assert not (app / ".venv" / JOURNAL).exists()
    isolate("sync", cwd=app)
    assert module.read_text() == text
