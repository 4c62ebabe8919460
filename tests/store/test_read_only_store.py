"""A store that cannot be written to, such as that of an image or of a CI cache, is read."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest

from conftest import SOURCE, listing, versions
from isolate.store.store import open_store, temporary_store

OTHER_UID = 54321
"""A user without an entry in the user database."""


@contextlib.contextmanager
def read_only(directory):
    """Make *directory* read-only, for root too."""
    mounted = subprocess.run(["mount", "--bind", "-r", directory, directory], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", directory], check=True)


@pytest.fixture
def synced(isolate, application, index):
    del index
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    return app


def test_it_is_verified_and_measured(isolate, synced, cache):
    size = json.loads(isolate("store", "size", "--json").out)
    with read_only(cache):
        assert isolate("store", "verify").out == f"OK: {size['entries']} entries\n"
        assert json.loads(isolate("store", "size", "--json").out) == size
        assert isolate("store", "path").out == f"{cache}/store-v1\n"


def test_damage_is_found_and_not_removed(isolate, synced, cache):
    [module] = cache.glob("store-v1/entries/*/alpha-1.0-*/files/lib/*/site-packages/alpha/__init__.py")
    module.chmod(0o644)
    module.write_text("edited = 1\n")
    with read_only(cache):
        result = isolate("store", "verify", status=1)
    assert "alpha/__init__.py is damaged" in result.out
    assert "not removed: the store is read-only" in result.out
    assert module.exists()
    assert "removed; the next sync" in isolate("store", "verify", status=1).out


def test_it_is_not_cleaned(isolate, synced, cache):
    shutil.rmtree(synced)
    with read_only(cache):
        result = isolate("store", "gc", status=2)
    assert f"cannot use the store in {cache}: Read-only file system" in result.err


def test_a_store_that_cannot_be_made_is_not_called_sound(isolate, tmp_path):
    (tmp_path / "ro").mkdir()
    with read_only(tmp_path / "ro"):
        for command in ("verify", "size", "gc"):
            result = isolate("store", command, status=2, env={"ISOLATE_CACHE_DIR": str(tmp_path / "ro/cache")})
            assert "cannot use the store" in result.err


def test_a_sync_takes_everything_from_it(isolate, synced, cache, index):
    shutil.rmtree(synced / ".venv")
    before = listing(cache)
    requests = len(index.requests)
    with read_only(cache):
        result = isolate("sync", cwd=synced)
        assert "using a temporary store" in result.err
        isolate("check", "--hash", cwd=synced)
    assert "preparing pip" not in result.err
    assert "resolving" not in result.err
    assert len(index.requests) == requests
    assert versions(synced / ".venv") == {"alpha": "1.0"}
    assert listing(cache) == before


def test_what_a_temporary_store_lacks_is_found_in_the_other(cache, tmp_path):
    store = temporary_store(cache, tmp_path / "temporary")
    (open_store(cache).root / "locks/one.toml").write_text("kept")
    path = store.paths.cached_lock("one")
    assert store.find(path).read_text() == "kept"
    path.parent.mkdir()
    path.write_text("own")
    assert store.find(path) == path
    assert store.find(store.paths.cached_lock("none")) == store.paths.cached_lock("none")


@pytest.fixture
def as_other_user(synced, cache):
    """Return a function that runs isolate as another user, with a copy of the store of root, and the application."""
    python = f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"  # that of the tests may be in root's home
    if os.geteuid() != 0 or not os.path.exists(python):
        pytest.skip("needs root, and a Python for all users")
    with tempfile.TemporaryDirectory() as directory:
        shared, app = Path(directory, "cache"), Path(directory, "app")
        shutil.copytree(cache, shared, symlinks=True)
        app.mkdir()
        (app / "requirements.txt").write_text("alpha==1.0\n")
        subprocess.run(["chmod", "-R", "a+rX", directory], check=True)
        os.chown(app, OTHER_UID, OTHER_UID)
        path = os.pathsep.join([str(SOURCE), sysconfig.get_path("purelib")])
        environ = {**os.environ, "PYTHONPATH": path, "ISOLATE_CACHE_DIR": str(shared), "TMPDIR": str(app)}

        def run(*arguments):
            command = [python, "-m", "isolate", *arguments]
            user = {"user": OTHER_UID, "group": OTHER_UID, "extra_groups": ()}
            return subprocess.run(command, cwd=app, env=environ, capture_output=True, text=True, check=False, **user)

        if run("--version").returncode:
            pytest.skip("another user cannot run this isolate")
        yield run, app


def test_another_user_reads_the_store_of_root(as_other_user):
    run, app = as_other_user
    verified = run("store", "verify")
    assert (verified.returncode, verified.stdout[:3]) == (0, "OK:"), verified.stderr
    assert run("store", "gc").returncode == 2
    synced = run("sync")
    assert synced.returncode == 0, synced.stderr
    assert versions(app / ".venv") == {"alpha": "1.0"}
