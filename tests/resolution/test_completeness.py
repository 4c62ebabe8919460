"""A lock is fresh only if all that is locked goes together, whatever the lock itself says."""

from __future__ import annotations

import re
import shutil

import pytest

from conftest import versions
from isolate.store.stated import requirements_in
from kit.packages import build_wheel


@pytest.fixture
def merged(isolate, application, index):
    """Return an application whose lock is a merge of two: beta 2.0, which requires alpha 2, beside alpha 1.1."""
    app = application({"requirements.txt": "beta<2\ndelta\n"})
    isolate("lock", cwd=app)
    old = (app / "pylock.toml").read_text()
    application({"requirements.txt": "beta\ndelta\n"})
    isolate("lock", "--upgrade", cwd=app)
    new = (app / "pylock.toml").read_text()
    table = re.compile(r'\[\[packages\]\]\nname = "alpha".*?(?=\n\[\[packages\]\])', re.DOTALL)
    (app / "pylock.toml").write_text(table.sub(lambda _: table.search(old)[0], new))
    return app


def test_a_lock_with_an_excluded_version_is_stale_once_the_packages_are_there(isolate, merged):
    before = (merged / "pylock.toml").read_bytes()
    error = isolate("sync", "--locked", cwd=merged, status=2).err
    assert "beta 2.0 requires alpha>=2, and alpha 1.1 is locked" in error
    assert not (merged / ".venv").exists()
    assert "beta 2.0 requires" in isolate("lock", "--check", cwd=merged, status=1).out
    assert (merged / "pylock.toml").read_bytes() == before
    assert "re-resolved: beta 2.0 requires alpha>=2" in isolate("sync", cwd=merged).out
    assert versions(merged / ".venv") == {"alpha": "2.0", "beta": "2.0", "delta": "1.0"}
    isolate("sync", "--locked", cwd=merged)
    isolate("check", cwd=merged)


def test_a_sync_with_such_a_lock_ends_with_what_goes_together_and_keeps_the_rest(isolate, merged, index):
    build_wheel(index.directory, "delta", "9.0")
    assert "re-resolved: beta 2.0 requires alpha>=2" in isolate("sync", cwd=merged).out
    assert versions(merged / ".venv") == {"alpha": "2.0", "beta": "2.0", "delta": "1.0"}


def test_check_says_what_does_not_go_together(isolate, merged):
    isolate("sync", "--frozen", cwd=merged)
    assert versions(merged / ".venv") == {"alpha": "1.1", "beta": "2.0", "delta": "1.0"}
    assert "beta 2.0 requires alpha>=2" in isolate("check", cwd=merged, status=1).out


def test_a_lock_without_a_dependency_is_stale(isolate, application, index):
    app = application({"requirements.txt": "beta\n"})
    isolate("sync", cwd=app)
    text = (app / "pylock.toml").read_text()
    table = re.compile(r'\[\[packages\]\]\nname = "alpha".*?(?=\[\[packages\]\])', re.DOTALL)
    (app / "pylock.toml").write_text(table.sub("", text))
    assert "beta requires alpha, which is not locked" in isolate("check", cwd=app, status=1).out
    assert "which is not locked" in isolate("sync", "--locked", cwd=app, status=2).err
    isolate("sync", cwd=app)
    assert (app / "pylock.toml").read_text() == text
    without_edge = re.sub(
        r"\n\[\[packages.dependencies\]\]\nname = \"alpha\"\n|dependencies = \[[^]]*\]\n", "\n", table.sub("", text)
    )
    assert "alpha" not in without_edge
    (app / "pylock.toml").write_text(without_edge)
    assert "beta 2.0 requires alpha>=2, which is not locked" in isolate("check", cwd=app, status=1).out


def test_what_is_complete_is_remembered_by_the_content_of_the_lock(isolate, application, index, cache):
    app = application({"requirements.txt": "beta\n"})
    isolate("sync", cwd=app)
    for _ in range(2):
        shutil.rmtree(app / ".venv")
        isolate("sync", cwd=app)
    assert len([*(cache / "store-v1/complete").iterdir()]) == 1


def test_the_requirements_of_a_package_are_read_as_far_as_its_header_goes():
    header = "Metadata-Version: 2.1\r\nRequires-Dist: a>=1\r\nrequires-dist: b;\r\n python_version < '3'\r\n"
    text = f"{header}\r\nRequires-Dist: c\r\n"
    assert requirements_in(text) == ("a>=1", "b; python_version < '3'")
    assert requirements_in("") == ()
