"""Several processes fill the store at once; what two of them need is fetched and built once."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys

import pytest

from conftest import SOURCE, inconsistencies, versions
from isolate.locks import NameLocks
from isolate.store.layout import StorePaths, bytecode_key
from kit.packages import build_sdist, build_tree
from kit.waiting import wait_until

WAITING = "waiting for another isolate process that fetches the same packages"


def start(app, *arguments):
    """Start a sync that goes on while the test does."""
    return subprocess.Popen(
        [sys.executable, "-m", "isolate", "sync", *arguments],
        cwd=app,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(child, text):
    """Read the errors of *child* up to a line with *text*, and return whether there is one."""
    return any(text in line for line in child.stderr)


class SlowBuild:
    """A source distribution whose build records that it runs, and goes on when it may."""

    def __init__(self, directory, index):
        self.builds, self._may_end = directory / "builds", directory / "may_end"
        code = f"""
import os, time
with open({str(self.builds)!r}, "a") as file: print(os.getpid(), file=file, flush=True)
while not os.path.exists({str(self._may_end)!r}): time.sleep(0.05)
"""
        build_sdist(index.directory, "slow", "1.0", on_build=code)

    @property
    def count(self):
        return len(self.builds.read_text().splitlines()) if self.builds.exists() else 0

    def end(self):
        self._may_end.touch()


@pytest.fixture
def slow(tmp_path, index):
    build = SlowBuild(tmp_path, index)
    yield build
    build.end()


@pytest.fixture
def lock(isolate, slow):
    """Return a function that locks an application, which may build source distributions for their metadata."""

    def make(app):
        slow.end()
        isolate("lock", cwd=app)
        slow._may_end.unlink()
        slow.builds.unlink(missing_ok=True)
        return app

    return make


def test_a_slow_build_blocks_no_other_application(isolate, application, slow, lock):
    builder = start(lock(application({"requirements.txt": "slow==1.0\nalpha==1.0\n"}, name="first")))
    wait_until(lambda: slow.count == 1)
    for name, pins in {"other": "beta==1.0\ngamma==1.0\n", "shared": "alpha==1.0\ndelta==1.0\n"}.items():
        other = application({"requirements.txt": pins}, name=name)
        isolate("sync", cwd=other)
        isolate("check", "--hash", cwd=other)
    assert builder.poll() is None
    slow.end()
    assert (builder.communicate(timeout=60), builder.returncode)[1] == 0


def test_what_two_need_is_built_once_and_the_second_says_that_it_waits(application, slow, lock):
    one, two = (lock(application({"requirements.txt": "slow==1.0\n"}, name=name)) for name in ("one", "two"))
    builder = start(one)
    wait_until(lambda: slow.count == 1)
    second = start(two)
    assert said(second, WAITING)
    slow.end()
    for child, app in ((builder, one), (second, two)):
        child.communicate(timeout=60)
        assert child.returncode == 0
        assert versions(app / ".venv") == {"slow": "1.0"}
    assert slow.count == 1


def test_the_second_builds_if_the_first_is_killed(application, slow, lock):
    one, two = (lock(application({"requirements.txt": "slow==1.0\n"}, name=name)) for name in ("one", "two"))
    builder = start(one)
    wait_until(lambda: slow.count == 1)
    second = start(two)
    assert said(second, WAITING)
    builder.kill()
    builder.communicate(timeout=60)
    wait_until(lambda: slow.count == 2)
    slow.end()
    second.communicate(timeout=60)
    assert second.returncode == 0
    assert inconsistencies(two / ".venv") == []


def test_a_source_tree_is_built_by_one_process_at_a_time(application, tmp_path):
    """setuptools writes to `build` in the tree, and fails if another process does so."""
    code = "import os, time; os.mkdir('build'); time.sleep(1); os.rmdir('build')"
    tree = build_tree(tmp_path / "library", "library", "1.0", on_build=code)
    children = [start(application({"requirements.txt": f"{tree}\n"}, name=name)) for name in ("one", "two", "three")]
    for child in children:
        _, errors = child.communicate(timeout=100)
        assert child.returncode == 0, errors


def test_cleaning_waits_for_a_build(isolate, application, slow, lock):
    builder = start(lock(application({"requirements.txt": "slow==1.0\n"}, name="one")))
    wait_until(lambda: slow.count == 1)
    gc = subprocess.Popen(
        [sys.executable, "-m", "isolate", "store", "gc"],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert said(gc, "waiting for other isolate processes that use the store")
    assert gc.poll() is None
    slow.end()
    for child in (builder, gc):
        child.communicate(timeout=60)
        assert child.returncode == 0


def test_an_older_version_that_fills_the_store_excludes_this_one(isolate, application, index, cache):
    del index
    app = application({"requirements.txt": "alpha==1.0\n"})
    with StorePaths(cache / "store-v1").write_lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        child = start(app)
        assert said(child, WAITING)
        assert versions(app / ".venv") == {}
    child.communicate(timeout=60)
    assert child.returncode == 0


def test_two_that_compile_the_same_both_succeed(isolate, application, index, cache):
    del index
    apps = [application({"requirements.txt": "alpha==1.0\nbeta==1.0\n"}, name=name) for name in ("one", "two")]
    isolate("sync", *apps)
    for app in apps:
        shutil.rmtree(app / ".venv")
    keys = [f"{path.parent.name}/{path.name}" for path in cache.glob("store-v1/entries/*/*") if "+" not in path.name]
    locks = NameLocks(StorePaths(cache / "store-v1").name_locks)
    locks.acquire(map(bytecode_key, keys))
    children = [start(app, "--compile") for app in apps]
    assert [said(child, WAITING) for child in children] == [True, True]
    locks.close()
    for child, app in zip(children, apps, strict=True):
        _, errors = child.communicate(timeout=60)
        assert child.returncode == 0, errors
        for name in ("alpha", "beta"):
            assert list(app.glob(f".venv/lib/*/site-packages/{name}/__pycache__/*.pyc"))
        isolate("check", "--hash", cwd=app)
