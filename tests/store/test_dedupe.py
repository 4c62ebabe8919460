"""What two versions have in common is one file in the store, and stays where it is when an environment changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conftest import inconsistencies, versions
from isolate.store.store import open_store
from kit.packages import build_wheel

SAME = {f"epsilon/data/{number}.txt": f"text {number}\n" for number in range(5)}


@pytest.fixture
def upgraded(index):
    """Two versions that differ in one module, and in what tells a version."""
    for version in ("1.0", "1.1"):
        build_wheel(index.folder, "epsilon", version, files={"epsilon/__init__.py": f"v = '{version}'\n", **SAME})


def site(app):
    return next((app / ".venv").glob("lib/*/site-packages"))


def identities(app):
    return {path.name: path.stat().st_ino for path in (site(app) / "epsilon").rglob("*.*") if path.suffix != ".pyc"}


@pytest.fixture
def app(isolate, application, upgraded):
    root = application({"requirements.txt": "epsilon==1.0\n"})
    isolate("sync", cwd=root)
    return root


def upgrade(isolate, app):
    (app / "requirements.txt").write_text("epsilon==1.1\n")
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"epsilon": "1.1"}
    assert inconsistencies(app / ".venv") == []
    isolate("check", "--hash", cwd=app)


def entries(cache, version):
    return next(cache.glob(f"store-v1/entries/*/epsilon-{version}-*"))


def test_only_what_differs_is_exchanged(isolate, app):
    before = identities(app)
    (site(app) / "epsilon/mine.txt").write_text("the user's own")
    upgrade(isolate, app)
    after = identities(app)
    assert (site(app) / "epsilon/mine.txt").read_text() == "the user's own"
    assert {name for name in before if before[name] != after[name]} == {"__init__.py"}
    isolate("rollback", cwd=app)
    assert versions(app / ".venv") == {"epsilon": "1.0"}
    assert inconsistencies(app / ".venv") == []
    assert {name: after for name, after in identities(app).items() if name != "mine.txt"} == before


def test_what_was_damaged_is_put_right_on_the_way(isolate, app):
    folder = site(app) / "epsilon/data"
    (folder / "0.txt").unlink()
    (folder / "1.txt").unlink()
    (folder / "1.txt").write_text("another\n")
    upgrade(isolate, app)
    assert (folder / "0.txt").read_text() == "text 0\n"
    assert (folder / "1.txt").read_text() == "text 1\n"


def test_a_file_that_was_edited_in_the_store_goes_into_no_other_entry(isolate, app, cache):
    edited = next(entries(cache, "1.0").rglob("3.txt"))
    times = edited.stat()
    os.chmod(edited, 0o644)
    edited.write_text("TEXT 3\n")  # of the same size, and then of the same time
    os.utime(edited, ns=(times.st_atime_ns, times.st_mtime_ns))
    other = app.parent / "other"
    other.mkdir()
    (other / "requirements.txt").write_text("epsilon==1.1\n")
    isolate("sync", cwd=other)
    assert (site(other) / "epsilon/data/3.txt").read_text() == "text 3\n"
    assert (site(other) / "epsilon/data/2.txt").samefile(next(entries(cache, "1.0").rglob("2.txt")))


def test_a_version_that_differs_in_much_moves_as_one_directory(isolate, app, index):
    many = {f"epsilon/new/{number}.txt": "new\n" for number in range(100)}
    build_wheel(index.folder, "epsilon", "1.1", files={"epsilon/__init__.py": "", **SAME, **many})
    (site(app) / "epsilon/data").chmod(0o755)
    folder = (site(app) / "epsilon").stat().st_ino
    upgrade(isolate, app)
    assert (site(app) / "epsilon").stat().st_ino != folder
    assert len(list((site(app) / "epsilon/new").iterdir())) == 100


def test_a_version_that_another_process_throws_out_meanwhile_is_not_missed(isolate, app, cache, mocker):
    store, entry = open_store(cache), entries(cache, "1.0")
    kind = entry.parent.name
    assert [one.path for one in store.newest_entries(kind, "epsilon")] == [entry]

    def seen_and_gone(*arguments, glob=Path.glob):
        found = [*glob(*arguments)]
        store.discard(f"{kind}/{entry.name}")
        return found

    mocker.patch.object(Path, "glob", seen_and_gone)
    assert store.newest_entries(kind, "epsilon") == []
