"""A file that two versions have in common is one file in the store, and stays in place when an environment changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conftest import inconsistencies, site, versions
from isolate.store.store import open_store
from kit.packages import build_wheel

SAME = {f"epsilon/data/{number}.txt": f"text {number}\n" for number in range(5)}


@pytest.fixture
def upgraded(index):
    """Serve two versions that differ in one module and in their metadata."""
    for version in ("1.0", "1.1"):
        build_wheel(index.directory, "epsilon", version, files={"epsilon/__init__.py": f"v = '{version}'\n", **SAME})


def inodes(app):
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


def entry_of(cache, version):
    return next(cache.glob(f"store-v1/entries/*/epsilon-{version}-*"))


def test_only_files_that_differ_are_replaced(isolate, app):
    before = inodes(app)
    (site(app) / "epsilon/mine.txt").write_text("the user's own")
    upgrade(isolate, app)
    after = inodes(app)
    assert (site(app) / "epsilon/mine.txt").read_text() == "the user's own"
    assert {name for name in before if before[name] != after[name]} == {"__init__.py"}
    isolate("rollback", cwd=app)
    assert versions(app / ".venv") == {"epsilon": "1.0"}
    assert inconsistencies(app / ".venv") == []
    assert {name: after for name, after in inodes(app).items() if name != "mine.txt"} == before


def test_damaged_files_are_repaired_by_an_upgrade(isolate, app):
    directory = site(app) / "epsilon/data"
    (directory / "0.txt").unlink()
    (directory / "1.txt").unlink()
    (directory / "1.txt").write_text("edited\n")
    upgrade(isolate, app)
    assert (directory / "0.txt").read_text() == "text 0\n"
    assert (directory / "1.txt").read_text() == "text 1\n"


def test_a_file_that_was_edited_in_the_store_is_not_linked_into_a_new_entry(isolate, app, cache):
    edited = next(entry_of(cache, "1.0").rglob("3.txt"))
    status = edited.stat()
    os.chmod(edited, 0o644)
    edited.write_text("TEXT 3\n")  # the same size, and below the same mtime
    os.utime(edited, ns=(status.st_atime_ns, status.st_mtime_ns))
    other = app.parent / "other"
    other.mkdir()
    (other / "requirements.txt").write_text("epsilon==1.1\n")
    isolate("sync", cwd=other)
    assert (site(other) / "epsilon/data/3.txt").read_text() == "text 3\n"
    assert (site(other) / "epsilon/data/2.txt").samefile(next(entry_of(cache, "1.0").rglob("2.txt")))


def test_a_version_with_many_differences_replaces_the_whole_directory(isolate, app, index):
    many = {f"epsilon/new/{number}.txt": "new\n" for number in range(100)}
    build_wheel(index.directory, "epsilon", "1.1", files={"epsilon/__init__.py": "", **SAME, **many})
    (site(app) / "epsilon/data").chmod(0o755)
    directory = (site(app) / "epsilon").stat().st_ino
    upgrade(isolate, app)
    assert (site(app) / "epsilon").stat().st_ino != directory
    assert len(list((site(app) / "epsilon/new").iterdir())) == 100


def test_an_entry_that_another_process_discards_meanwhile_is_skipped(isolate, app, cache, mocker):
    store, entry = open_store(cache), entry_of(cache, "1.0")
    compat_tag = entry.parent.name
    assert [published.path for published in store.newest_entries(compat_tag, "epsilon")] == [entry]

    def glob_then_discard(*arguments, glob=Path.glob):
        paths = [*glob(*arguments)]
        store.discard(f"{compat_tag}/{entry.name}")
        return paths

    mocker.patch.object(Path, "glob", glob_then_discard)
    assert store.newest_entries(compat_tag, "epsilon") == []
