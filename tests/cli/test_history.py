from __future__ import annotations

import json
import shutil

import pytest

from conftest import inconsistencies, listing, versions

pytestmark = pytest.mark.store("warm")


@pytest.fixture
def synced(isolate, application, index):
    for pins in ("alpha==1.0\n", "alpha==1.1\ndelta==1.0\n", "alpha==2.0\n"):
        app = application({"requirements.txt": pins})
        isolate("sync", cwd=app)
    return app


def test_history_shows_what_each_sync_changed(isolate, synced):
    out = isolate("history", cwd=synced).out
    assert out.index("~ alpha 1.1 → 2.0") < out.index("~ alpha 1.0 → 1.1") < out.index("+ alpha 1.0")
    assert "  (2 packages, Python " in out
    assert "  (1 package, Python " in out
    document = json.loads(isolate("history", "--json", cwd=synced).out)
    assert [generation["number"] for generation in document["generations"]] == [3, 2, 1]
    assert document["generations"][0]["changes"] == ["~ alpha 1.1 → 2.0", "- delta 1.0"]


def test_rollback_needs_no_network(isolate, synced, index):
    asked = len(index.requests)
    out = isolate("rollback", cwd=synced).out
    assert "~ alpha 2.0 → 1.1" in out
    assert "the next `isolate sync` follows them again" in out
    assert versions(synced / ".venv") == {"alpha": "1.1", "delta": "1.0"}
    isolate("rollback", "1", cwd=synced)
    assert versions(synced / ".venv") == {"alpha": "1.0"}
    assert inconsistencies(synced / ".venv") == []
    assert isolate("run", "--no-sync", "--", "alpha", cwd=synced).out == "alpha 1.0\n"
    isolate("sync", cwd=synced)
    assert versions(synced / ".venv") == {"alpha": "2.0"}
    assert len(index.requests) == asked


def test_rollback_can_itself_be_undone(isolate, synced):
    isolate("rollback", "1", cwd=synced)
    isolate("rollback", cwd=synced)
    assert versions(synced / ".venv") == {"alpha": "2.0"}


def spoil(cache, name):
    """Edit a module of a store entry in place, as some editors do."""
    module = next(cache.glob(f"store-v1/entries/*/{name}-*/files/lib/*/site-packages/*/__init__.py"))
    module.chmod(0o644)
    module.write_text("edited = True\n")


def test_rollback_fetches_a_damaged_entry_again(isolate, synced, cache):
    spoil(cache, "alpha-1.1")
    assert "alpha-1.1" in isolate("rollback", cwd=synced).err
    assert versions(synced / ".venv") == {"alpha": "1.1", "delta": "1.0"}
    assert inconsistencies(synced / ".venv") == []
    isolate("store", "verify")


@pytest.mark.store("warm", own_pip=True)
def test_lock_fetches_a_damaged_entry_again(isolate, application, synced, cache):
    spoil(cache, "pip")
    app = application({"requirements.txt": "alpha\n"}, name="fresh")
    isolate("lock", cwd=app)
    isolate("store", "verify")


@pytest.mark.parametrize("with_lock", [(), ("--lock",)])
def test_rollback_neither_follows_nor_replaces_a_symbolic_link(isolate, synced, with_lock):
    (synced / ".venv").rename(synced / "venv")
    (synced / ".venv").symlink_to("venv")
    before = listing(synced)
    result = isolate("rollback", *with_lock, cwd=synced, status=2)
    assert "is a symbolic link to venv" in result.err
    assert listing(synced) == before
    assert versions(synced / "venv") == {"alpha": "2.0"}


BROKEN = {"requirements.txt": "alpha=2.0\n", "pyproject.toml": "[project\n", "pylock.toml": "no lock\n"}


@pytest.mark.parametrize("name", BROKEN)
def test_rollback_works_with_declarations_that_cannot_be_parsed(isolate, application, synced, name):
    application({name: BROKEN[name]})
    assert "~ alpha 2.0 → 1.1" in isolate("rollback", cwd=synced).out
    assert versions(synced / ".venv") == {"alpha": "1.1", "delta": "1.0"}
    assert (synced / name).read_text() == BROKEN[name]


def test_rollback_keeps_the_settings_that_can_be_read(isolate, application, synced):
    application({"requirements.txt": "alpha=2.0\n", "pyproject.toml": '[tool.isolate]\nlink-mode = "copy"\n'})
    isolate("rollback", "1", cwd=synced)
    assert next(synced.glob(".venv/lib/*/site-packages/alpha/__init__.py")).stat().st_nlink == 1
    application({"requirements.txt": "alpha==1.0\n"})
    assert "link mode auto → copy" in isolate("sync", cwd=synced).out


def test_rollback_fetches_nothing_while_the_indexes_are_unknown(isolate, application, synced, cache, index):
    spoil(cache, "alpha-1.1")
    application({"requirements.txt": "alpha=2.0\n"})
    asked = len(index.requests)
    assert "requirements.txt:1: " in isolate("rollback", cwd=synced, status=2).err
    assert versions(synced / ".venv") == {"alpha": "2.0"}
    assert len(index.requests) == asked


def test_a_refused_rollback_leaves_the_lock_unchanged(isolate, application, synced, cache, index):
    spoil(cache, "alpha-1.1")
    application({"pylock.toml": "no lock\n"})
    (index.directory / "alpha-1.1-py3-none-any.whl").unlink()
    isolate("rollback", "--lock", cwd=synced, status=2)
    assert (synced / "pylock.toml").read_text() == "no lock\n"


def test_rollback_changes_pylock_toml_only_on_request(isolate, application, index):
    app = application({"requirements.txt": "beta<2\n"})
    isolate("sync", cwd=app)
    first = (app / "pylock.toml").read_bytes()
    application({"requirements.txt": "beta\n"})
    isolate("sync", "--upgrade", cwd=app)
    second = (app / "pylock.toml").read_bytes()
    out = isolate("rollback", cwd=app).out
    assert "~ beta 1.0 → 2.0" in out
    assert (app / "pylock.toml").read_bytes() == second
    isolate("rollback", "1", "--lock", cwd=app)
    assert (app / "pylock.toml").read_bytes() == first


def test_an_unknown_sync_number_is_refused(isolate, synced, application):
    assert "available: 3, 2, 1" in isolate("rollback", "9", cwd=synced, status=2).err
    empty = application({"requirements.txt": ""}, name="empty")
    isolate("sync", cwd=empty)
    message = isolate("rollback", cwd=empty, status=2).err
    assert "nothing to roll back: empty has 1 recorded sync\nhint: run `isolate history`" in message


def test_the_last_ten_syncs_are_kept(isolate, application, index):
    for number in range(12):
        app = application({"requirements.txt": "alpha==1.0\n" if number % 2 else "alpha==2.0\n"})
        isolate("sync", cwd=app)
    numbers = [
        generation["number"] for generation in json.loads(isolate("history", "--json", cwd=app).out)["generations"]
    ]
    assert numbers == list(range(12, 2, -1))


def test_history_survives_a_recreated_environment(isolate, synced):
    (synced / ".venv/pyvenv.cfg").unlink()
    assert "recreated .venv: pyvenv.cfg" in isolate("sync", cwd=synced).out
    numbers = [
        generation["number"] for generation in json.loads(isolate("history", "--json", cwd=synced).out)["generations"]
    ]
    assert numbers == [4, 3, 2, 1]


@pytest.mark.store("cold")
def test_gc_keeps_what_environments_use_and_can_roll_back_to(isolate, application, synced, cache):
    other = application({"requirements.txt": "gamma==1.0\n"}, name="other")
    isolate("sync", cwd=other)
    names = {path.name.rpartition("-")[0] for path in cache.glob("store-v1/entries/*/*")}
    assert {"alpha-1.0", "alpha-1.1", "alpha-2.0", "delta-1.0", "gamma-1.0"} <= names
    assert "removed 0 entries" in isolate("store", "gc").out
    shutil.rmtree(other)
    assert "removed 1 entry" in isolate("store", "gc").out
    assert not list(cache.glob("store-v1/entries/*/gamma-*"))
    isolate("rollback", "1", "-q", cwd=synced)


def test_store_verify_finds_an_edit_that_keeps_size_and_mtime(isolate, synced, cache):
    import os

    assert "OK: " in isolate("store", "verify").out
    module = next(cache.glob("store-v1/entries/*/alpha-2.0-*/files/lib/*/site-packages/alpha/__init__.py"))
    status = module.stat()
    module.chmod(0o644)
    module.write_text(module.read_text().replace("alpha", "alphb"))
    os.utime(module, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert "alpha-2.0" in isolate("store", "verify", status=1).out
    assert not list(cache.glob("store-v1/entries/*/alpha-2.0-*"))


@pytest.mark.store("cold")
def test_the_store_shows_its_directory_and_size(isolate, synced, cache):
    assert isolate("store", "path").out == f"{cache}/store-v1\n"
    entries = [path.name for path in cache.glob("store-v1/entries/*/*")]
    distributions = sorted(name.partition("-")[0] for name in entries if not name.endswith("+bytecode"))
    assert distributions == ["alpha", "alpha", "alpha", "delta", "pip"]
    assert json.loads(isolate("store", "size", "--json").out)["entries"] == len(entries)
