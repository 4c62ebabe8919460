"""Entries, and what a change to a file of an environment that is linked from an entry leads to."""

from __future__ import annotations

import os
import subprocess

import pytest

from conftest import inconsistencies
from isolate.environment.link import update_record


def entries_of(cache, name):
    return [path for path in cache.glob("store-v1/entries/*/*") if path.name.startswith(f"{name}-")]


@pytest.fixture
def synced(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"}, name="first")
    isolate("sync", app)
    return app


def test_an_entry_is_read_only_and_private(synced, cache):
    (entry,) = entries_of(cache, "alpha")
    modes = {path.stat().st_mode & 0o777 for path in (entry / "files").rglob("*") if path.is_file()}
    assert modes <= {0o444, 0o555}
    assert (cache / "store-v1").stat().st_mode & 0o777 == 0o700
    assert (cache / "store-v1/CACHEDIR.TAG").exists()


def test_no_temporary_files_are_left_in_the_store(synced, cache):
    assert list((cache / "store-v1/tmp").iterdir()) == []


def test_an_edit_through_a_link_does_not_reach_other_environments(isolate, application, synced, index):
    module = next(synced.glob(".venv/lib/*/site-packages/alpha/__init__.py"))
    module.chmod(0o644)
    with module.open("a") as file:
        file.write("poison = True\n")
    second = application({"requirements.txt": "alpha==1.0\n"}, name="second")
    result = isolate("sync", second)
    assert "was modified in the store" in result.err
    assert "poison" not in next(second.glob(".venv/lib/*/site-packages/alpha/__init__.py")).read_text()
    assert inconsistencies(second / ".venv") == []


def test_one_sync_fetches_all_damaged_entries_again(isolate, application, index):
    pins = {"requirements.txt": "alpha==1.0\nbeta==1.0\ngamma==1.0\ndelta==1.0\n"}
    first, second = application(pins, name="first"), application(pins, name="second")
    isolate("sync", first)
    for name in ("alpha", "beta", "gamma", "delta"):
        module = next(first.glob(f".venv/lib/*/site-packages/{name}/__init__.py"))
        module.chmod(0o644)
        module.write_text("poison = True\n")
    err = isolate("sync", second).err
    assert err.count("re-fetching it") == 4
    assert "fetching 4 packages" in err
    assert inconsistencies(second / ".venv") == []


def test_a_changed_mtime_is_not_damage_and_is_restored(isolate, application, synced, cache):
    module = next(synced.glob(".venv/lib/*/site-packages/alpha/__init__.py"))
    before = module.stat().st_mtime_ns
    os.utime(module)
    second = application({"requirements.txt": "alpha==1.0\n"}, name="second")
    assert "modified in the store" not in isolate("sync", second).err
    assert module.stat().st_mtime_ns == before


def test_removed_permissions_are_restored_before_other_environments_get_the_file(isolate, application, synced):
    module = next(synced.glob(".venv/lib/*/site-packages/alpha/__init__.py"))
    module.chmod(0)
    second = application({"requirements.txt": "alpha==1.0\n"}, name="second")
    isolate("sync", second)
    assert next(second.glob(".venv/lib/*/site-packages/alpha/__init__.py")).stat().st_mode & 0o777 == 0o444


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read every file")
def test_an_unreadable_file_is_damage(isolate, synced):
    next(synced.glob(".venv/lib/*/site-packages/alpha/__init__.py")).chmod(0)
    assert "modified file" in isolate("check", synced, status=1).out


def test_environments_keep_working_after_the_store_was_deleted(isolate, synced, cache):
    import shutil

    shutil.rmtree(cache)
    done = subprocess.run([synced / ".venv/bin/alpha"], capture_output=True, text=True, check=True)
    assert done.stdout == "alpha 1.0\n"
    assert isolate("check", cwd=synced).out.startswith("OK: 1 package")


def test_record_lists_scripts_as_they_are_in_the_environment():
    record = "a/x.py,sha256=K,1\n../../../bin/t,sha256=OLD,9\na-1.dist-info/RECORD,,\n"
    relisted = update_record(record, "lib/python3.11/site-packages/a-1.dist-info/RECORD", {"bin/t": b"#!/a/python\n"})
    assert relisted.splitlines()[1] == "../../../bin/t,sha256=QgMgXldCRRaHn8ZSpgzs2Md0K-kgUv64dYPFw2hrJV4,12"
    assert relisted.splitlines()[::2] == record.splitlines()[::2]


def test_the_cache_directory_can_be_chosen(isolate, application, index, tmp_path):
    app = application({"requirements.txt": ""})
    isolate("sync", cwd=app, env={"ISOLATE_CACHE_DIR": str(tmp_path / "elsewhere")})
    assert os.listdir(tmp_path / "elsewhere") == ["store-v1"]
