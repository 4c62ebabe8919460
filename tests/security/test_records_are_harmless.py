"""A record is harmless even if it is believed: nothing outside the environment and the store is touched for it."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from isolate.environment.history import read_history
from isolate.environment.journal import commit, replay
from isolate.environment.records import (
    JOURNAL,
    OLD_JOURNAL,
    STAGING,
    STAMP,
    STATE,
    TEMPLATE,
    TRASH,
    WORK,
    claimed_state,
    read_state,
)
from isolate.environment.stamp.mtimes import settled_mtime_below
from isolate.environment.stamp.read import up_to_date_message
from isolate.environment.stamp.variables import variable_line
from isolate.environment.steps import remove_step
from isolate.errors import NotManaged
from isolate.store.environments import registered_environments
from isolate.store.layout import StorePaths
from isolate.store.manifest import is_relative_path, read_manifest
from isolate.store.store import open_store
from kit.records import record_text, resign, write_signed

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.store("warm")

LOOKING = ("check", "status", "history")
COMMANDS = (*LOOKING, "sync", "rollback", "lock")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return a directory beside the application that no command may change."""
    directory = tmp_path / "outside"
    (directory / "work/staging").mkdir(parents=True)
    for name in ("profile", "secret", "work/notes", "work/staging/note", "stamp"):
        (directory / name).write_text("mine")
    return directory


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    (tmp_path / "app/.venv/.isolate/work/trash").mkdir(parents=True)
    (tmp_path / "app/.venv/bin").mkdir()
    return tmp_path / "app/.venv"


def link_out(venv, outside, link):
    (venv / "bin/tool").write_text("old")
    (venv / STAGING / "escape").mkdir(parents=True)
    (venv / STAGING / "escape/profile").write_text("new")
    if os.path.lexists(venv / link):
        shutil.rmtree(venv / link)
    (venv / link).symlink_to(os.path.relpath(outside, (venv / link).parent))


LINKS = {
    "the target of an addition": ("escape", [["add", f"{STAGING}/escape/profile", "escape/profile"]]),
    "the source of an addition": (f"{STAGING}/bin", [["add", f"{STAGING}/bin/secret", "bin/secret"]]),
    "the source of a removal": ("escape", [["remove", "escape/secret", f"{TRASH}/1"]]),
    "the trash": (TRASH, [["remove", "bin/tool", f"{TRASH}/1"]]),
    "staging": (STAGING, [["add", f"{STAGING}/secret", "secret"]]),
    "lib64": ("lib64", [["remove", "lib64/secret", f"{TRASH}/1"]]),
}


@pytest.mark.parametrize("journal", [JOURNAL, OLD_JOURNAL])
@pytest.mark.parametrize("kind", LINKS)
def test_an_unsigned_journal_is_not_carried_out(venv, outside, kind, journal):
    link_out(venv, outside, LINKS[kind][0])
    (venv / journal).write_text(json.dumps(LINKS[kind][1]))
    before = contents(outside)
    assert not replay(venv)
    assert contents(outside) == before


@pytest.mark.parametrize("kind", LINKS)
def test_a_journal_never_follows_a_link_out_of_the_environment(venv, outside, kind):
    link, steps = LINKS[kind]
    link_out(venv, outside, link)
    write_signed(venv / JOURNAL, json.dumps(steps), "journal")
    before = contents(outside)
    with pytest.raises(NotManaged, match="is a symbolic link to") as error:
        replay(venv)
    assert str(venv / link) in str(error.value)
    assert contents(outside) == before


def test_links_among_what_is_deleted_are_deleted_themselves(venv, outside):
    (venv / WORK / "escape").symlink_to(outside)
    (venv / TRASH / "1").symlink_to(outside)
    write_signed(venv / JOURNAL, "[]", "journal")
    before = contents(outside)
    replay(venv)
    assert not os.path.lexists(venv / WORK)
    assert contents(outside) == before


def test_the_environments_own_lib64_counts_as_lib(venv):
    shutil.rmtree(venv / WORK)
    (venv / "lib/python3.x").mkdir(parents=True)
    (venv / "lib/python3.x/old.py").write_text("old")
    (venv / "lib64").symlink_to("lib")
    commit(venv, [remove_step("lib64/python3.x/old.py", 1)])
    assert not (venv / "lib/python3.x/old.py").exists()
    assert (venv / "lib64").is_symlink()


OTHER_STEPS = [
    ["add", f"{STAGING}", "b"],
    ["add", "bin/tool", "bin/other"],
    ["remove", "bin/tool", "bin/other"],
    ["remove", "bin/tool", f"{TRASH}/../tool"],
    ["remove", "", f"{TRASH}/1"],
    ["remove", "bin/.", f"{TRASH}/1"],
    ["remove", "bin//tool", f"{TRASH}/1"],
]


@pytest.mark.parametrize("step", OTHER_STEPS)
def test_steps_that_isolate_never_plans_are_not_carried_out(venv, step):
    (venv / "bin/tool").write_text("old")
    write_signed(venv / JOURNAL, json.dumps([step]), "journal")
    assert not replay(venv)
    assert contents(venv / "bin") == {"tool": b"old"}


@pytest.mark.parametrize("link", [".venv", ".venv/.isolate", ".venv/.isolate/work"])
def test_every_command_refuses_links_in_place_of_its_directories(isolate, application, index, outside, link):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    real = outside / "real"
    if (app / link).exists():
        (app / link).rename(real)
        (real / "work").mkdir(exist_ok=True)
        (real / "work/note").write_text("mine")
    (app / link).symlink_to(real if real.exists() else outside)
    before = contents(outside)
    for command in COMMANDS:
        result = isolate(command, cwd=app, status=2)
        assert f"{app / link} is a symbolic link to" in result.err
    isolate("run", "--", "true", cwd=app, status=2)
    isolate("run", "--no-sync", "--", "true", cwd=app, status=2)
    assert contents(outside) == before


def test_a_staging_directory_that_brings_a_link_is_deleted_without_its_target(isolate, application, outside):
    app = application({"requirements.txt": ""})
    (app / ".isolate-staging").mkdir()
    write_signed(app / ".isolate-staging/.gitignore", "*\n", "mark")
    for name in ("old", "venv", "other"):
        (app / ".isolate-staging" / name).symlink_to(outside)
    before = contents(outside)
    isolate("history", cwd=app)
    assert not os.path.lexists(app / ".isolate-staging")
    assert not os.path.lexists(app / ".venv")
    assert contents(outside) == before


@pytest.fixture
def synced(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    application({"requirements.txt": "alpha==1.1\n"})
    isolate("sync", cwd=app)
    (app / ".venv/.isolate/stamp").unlink()
    return app


def rewrite(path: Path, change, *, signed=True) -> None:
    """Change a record: with a valid code, or as another program would."""
    resign(path, change)
    if not signed:
        path.write_text(record_text(path))


signed_or_not = pytest.mark.parametrize("signed", [True, False], ids=["signed", "unsigned"])


def set_of_installed(field, value):
    return lambda table: [row.update({field: value}) for row in table["installed"] if row["name"] == "alpha"]


STATES = {
    "a key": set_of_installed("key", "../../../precious"),
    "an absolute key": set_of_installed("key", "/precious"),
    "a key that is not text": set_of_installed("key", 5),
    "a name": set_of_installed("name", "../../../../precious"),
    "a name with a NUL": set_of_installed("name", "alpha\0"),
    "a directory": set_of_installed("directories", ["../../precious"]),
    "a file": set_of_installed("rewritten", [["../../precious", 0, 0, "", "file"]]),
    "an absolute file": set_of_installed("rewritten", [["/precious", 0, 0, "", "file"]]),
    "an implementation": lambda table: table["interpreter"].update(implementation="../../x"),
    "a version of Python": lambda table: table["interpreter"].update(version="3.11/../../x"),
    "no text": lambda table: table.update(installed=[None]),
}


@signed_or_not
@pytest.mark.parametrize("kind", STATES)
def test_a_state_with_what_leads_out_of_its_place_is_unreadable(isolate, synced, cache, kind, signed):
    precious = cache.parent / "precious"
    precious.mkdir()
    (precious / "note").write_text("mine")
    rewrite(synced / ".venv" / STATE, STATES[kind], signed=signed)
    assert read_state(synced / ".venv") is None
    assert claimed_state(synced / ".venv") is None
    isolate("check", cwd=synced)  # everything is proven without the record
    isolate("rollback", cwd=synced, status=2)
    isolate("store", "gc")
    assert contents(precious) == {"note": b"mine"}
    isolate("run", "--", "python", "-c", "import alpha", cwd=synced)
    assert contents(precious) == {"note": b"mine"}


def set_of_locked(field, value):
    return lambda table: [row.update({field: value}) for row in table["locked"]]


GENERATIONS = {
    "a name": set_of_locked("name", "../../../../precious"),
    "a version": set_of_locked("version", "1/../../../../../precious"),
    "a table that is not one": set_of_locked("table", None),
    "an implementation": lambda table: table["interpreter"].update(implementation="../../x"),
    "no interpreter": lambda table: table.update(interpreter={}),
    "another number": lambda table: table.update(number=7),
    "a number that is a path": lambda table: table.update(number="../../x"),
    "a time without end": lambda table: table.update(time=1e300),
}


@signed_or_not
@pytest.mark.parametrize("kind", GENERATIONS)
def test_a_generation_with_what_leads_out_of_its_place_is_unreadable(isolate, synced, kind, signed):
    rewrite(synced / ".venv/.isolate/history/1.json", GENERATIONS[kind], signed=signed)
    assert [generation.number for generation in read_history(synced / ".venv")] == [2]
    isolate("history", cwd=synced)
    isolate("rollback", cwd=synced, status=2)
    isolate("store", "gc")


@pytest.mark.parametrize(
    "path", ["", ".", "..", "/etc/passwd", "a/../b", "a//b", "a/.", "./a", "a/", "a\0b", "a\nb", "\x7f", "\ud800", None]
)
def test_the_paths_of_a_manifest_are_below_the_environment(tmp_path, path):
    assert not is_relative_path(path)
    row = [path, 1, 1, "", "file"]
    table = {"name": "a", "version": "1", "source_id": "", "compat_tag": "x", "pip": "1", "files": [row]}
    (tmp_path / "manifest.json").write_text(json.dumps(table))
    with pytest.raises(ValueError, match=r"not a|is not"):
        read_manifest(tmp_path / "manifest.json")


@pytest.mark.parametrize("path", ["a", ".hidden", "a/.hidden", "a/..b", "a b/ü", "a/\udc80", "lib/x.py"])
def test_ordinary_paths_are_accepted(path):
    assert is_relative_path(path)


@pytest.mark.parametrize("key", ["../x", "a/../../x", "a", "a/b/c", "/a/b", "a/", "a/..", "a/b\0", ".a/b", "a/b\n"])
def test_what_is_not_a_key_reaches_no_path_of_the_store(tmp_path, key):
    store = open_store(tmp_path / "cache")
    assert store.entry(key) is None
    assert not store.has(key)
    with pytest.raises(ValueError, match="not the key"):
        StorePaths(tmp_path).entry(key)
    with pytest.raises(ValueError, match="not the key"):
        store.discard(key)


def test_one_broken_record_does_not_stop_a_clean_up(isolate, synced, cache):
    directory = cache / "store-v1/environments"
    for name, content in {"a": b"\xff\n", "b": b"", "c": b"/a\0b\n", "d": b"relative\n"}.items():
        (directory / name).write_bytes(content)
    (directory / "e").mkdir()
    venvs = registered_environments(open_store(cache))
    assert synced / ".venv" in venvs
    assert {venv.name for venv in venvs} == {".venv"}
    isolate("store", "gc")
    isolate("check", cwd=synced)


def test_no_mtime_is_set_through_a_link(venv, outside):
    (venv / "lib/python3.x/site-packages").mkdir(parents=True)
    (venv / "lib/python3.x/site-packages/package").symlink_to(outside)
    before = outside.stat().st_mtime_ns
    with pytest.raises(NotManaged, match="is a symbolic link to"):
        settled_mtime_below(venv, "lib/python3.x/site-packages/package")
    assert outside.stat().st_mtime_ns == before


TEMPLATES = {
    "empty": "",
    "no rows": "[]",
    "cut off": lambda content: content[: len(content) // 2],
    "without activate": lambda content: json.dumps([row for row in json.loads(content) if row[0] != "bin/activate"]),
    "of a later version": '{"layout": 9, "files": []}',
}


@signed_or_not
@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_broken_record_of_the_template_hides_nothing(isolate, synced, kind, signed):
    record, change = synced / ".venv" / TEMPLATE, TEMPLATES[kind]
    content = change(record_text(record)) if callable(change) else change
    if signed:
        write_signed(record, content)
    else:
        record.write_text(content)
    with (synced / ".venv/bin/activate").open("a") as file:
        file.write("echo hello\n")
    (synced / ".venv/bin/python3").unlink()
    assert "template.json" in isolate("check", "--hash", cwd=synced, status=1).out
    assert "recreated .venv" in isolate("sync", cwd=synced).out
    assert "echo hello" not in (synced / ".venv/bin/activate").read_text()
    assert (synced / ".venv/bin/python3").exists()
    isolate("check", "--hash", cwd=synced)


def test_a_state_without_pip_is_unreadable(isolate, synced):
    rewrite(synced / ".venv" / STATE, lambda table: table.update(installed=[]))
    assert read_state(synced / ".venv") is None
    assert "its record cannot be read" in isolate("rollback", cwd=synced, status=2).err
    assert "verified .venv" in isolate("sync", cwd=synced).out


def test_a_stamp_that_was_cut_off_answers_nothing(isolate, synced):
    isolate("sync", cwd=synced)
    stamp = synced / ".venv" / STAMP
    lines = stamp.read_text().splitlines(keepends=True)
    venv = str(synced / ".venv")
    assert up_to_date_message(venv, variable_line) is not None
    for count in range(len(lines)):
        stamp.write_text("".join(lines[:count]))
        assert up_to_date_message(venv, variable_line) is None
    stamp.write_text(f"{lines[0]}nothing to do: 0 packages\n")
    assert isolate("sync", cwd=synced).out != "nothing to do: 0 packages\n"
