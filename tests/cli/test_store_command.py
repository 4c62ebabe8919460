"""`isolate store size` and `isolate store gc` count a file once, and only what they say they count."""

from __future__ import annotations

import json
import shutil

import pytest

from kit.packages import build_wheel

pytestmark = pytest.mark.store("cold", own_pip=True)  # the tests count links

COMMON = {f"epsilon/data/{number}.txt": "x" * 8192 for number in range(5)}


@pytest.fixture
def two_versions(isolate, application, index):
    """Sync one application to two versions that have files in common, by copies; return its directory."""
    for version in ("1.0", "1.1"):
        build_wheel(index.directory, "epsilon", version, files={"epsilon/__init__.py": f"v = '{version}'\n", **COMMON})
        app = application({"requirements.txt": f"epsilon=={version}\n"})
        isolate("sync", "--link-mode", "copy", cwd=app)
    return app


def bytes_on_disk(directory):
    inodes = {status.st_ino: status.st_blocks * 512 for path in directory.rglob("*") if (status := path.lstat())}
    directories = {path.lstat().st_ino for path in directory.rglob("*") if path.is_dir()}
    return sum(size for inode, size in inodes.items() if inode not in directories)


def test_a_file_that_only_entries_share_is_not_shared_with_an_environment(isolate, two_versions):
    assert json.loads(isolate("store", "size", "--json").out)["shared"] == 0


def test_a_file_that_an_environment_has_is_shared(isolate, application, index):
    isolate("sync", cwd=application({"requirements.txt": "alpha==1.0\n"}))
    assert json.loads(isolate("store", "size", "--json").out)["shared"] > 0


def test_gc_reports_the_bytes_that_it_gives_back(isolate, two_versions, cache):
    shutil.rmtree(two_versions)
    entries = cache / "store-v1/entries"
    before = bytes_on_disk(entries)
    freed = json.loads(isolate("store", "gc", "--json").out)["bytes"]
    assert freed == before - bytes_on_disk(entries) > 5 * 8192
