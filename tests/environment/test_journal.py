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
from isolate.environment.records import JOURNAL, OLD_JOURNAL, STAGING, STAMP, TRASH
from isolate.errors import NotManaged
from isolate.signed_record import signed as signed_record
from kit.records import write_signed

pytestmark = pytest.mark.store("warm")

SITE = "lib/python3.x/site-packages"


def put(root, paths, text):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def files(root, errors=None):
    paths = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_text(errors=errors) for path in paths}


@pytest.fixture
def venv(tmp_path):
    (tmp_path / "venv" / SITE).mkdir(parents=True)
    (tmp_path / "venv/bin").mkdir()
    return tmp_path / "venv"


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


def test_a_change_stopped_after_any_number_of_steps_is_finished(venv, tmp_path_factory):
    old = [f"{SITE}/a/1.py", f"{SITE}/b.py", "bin/a", f"{SITE}/a-1.dist-info/RECORD"]
    new = [f"{SITE}/a/1.py", f"{SITE}/c/x.py", "bin/a", f"{SITE}/a-2.dist-info/RECORD"]
    put(venv, old, "old")
    put(venv / STAGING, new, "new")
    steps = plan_steps(venv, old, new, SITE)
    (venv / TRASH).mkdir()
    for number, step in enumerate(steps):
        if os.path.lexists(venv / step.source):
            os.replace(venv / step.source, venv / step.target)
        snapshot = tmp_path_factory.mktemp("snapshots") / str(number)
        shutil.copytree(venv, snapshot, symlinks=True)
        write_signed(snapshot / JOURNAL, json.dumps(steps), "journal")
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


STEPS = b'[["remove", "bin/a", ".isolate/work/trash/1"]]'


@pytest.mark.parametrize(
    ("path", "content", "signed"),
    [
        *((JOURNAL, content, True) for content in JUNK.values()),
        *((JOURNAL, content, False) for content in (*JUNK.values(), STEPS)),
        *((OLD_JOURNAL, content, False) for content in (*JUNK.values(), STEPS, STEPS.replace(b"remove", b"out"))),
    ],
)
def test_a_journal_that_isolate_did_not_write_is_put_aside_with_what_lies_beside_it(venv, path, content, signed):
    put(venv, ["bin/a", STAMP], "old")
    put(venv, [f"{TRASH}/1", f"{STAGING}/x"], "anybody's")
    (venv / path).write_bytes(isolate_record(venv / path, content) if signed else content)
    content = (venv / path).read_bytes()
    for number in (1, 2):
        assert not replay(venv)
        aside = venv / f".isolate/unverified-work-{number}"
        assert (aside / path.rpartition("/")[2]).read_bytes() == content
        assert {"trash/1": "anybody's", "staging/x": "anybody's"}.items() <= files(aside, errors="replace").items()
        assert (venv / "bin/a").read_text() == "old"
        assert not (venv / STAMP).exists()
        shutil.copytree(aside, venv / ".isolate/work")


def isolate_record(path, content):
    return signed_record("journal", str(path), content)


def test_the_journal_of_another_environment_is_not_replayed(venv, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    put(other, ["bin/a"], "old")
    put(venv, [f"{TRASH}/1"], "mine")
    (venv / JOURNAL).write_bytes(isolate_record(other / JOURNAL, STEPS))
    assert not replay(venv)


def test_a_journal_that_is_a_dangling_link_is_put_aside(venv):
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
    write_signed(venv / JOURNAL, json.dumps([[action, str(source), str(target)]]), "journal")
    assert not replay(venv)
    assert {".venv/bin/a": "mine", "outside": "mine"}.items() <= files(tmp_path / "app").items()


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
