"""A file that cannot be where two distributions, or a distribution and the user, have it is refused by name."""

from __future__ import annotations

import pytest

from conftest import versions
from kit.packages import build_wheel


@pytest.fixture
def with_left(isolate, application, index):
    """Return an application with a lock that has `left` installed; `right` has a directory where that has a file."""
    build_wheel(index.directory, "left", "1.0", files={"shared": "left = 1\n", "common.py": "left = 1\n"})
    build_wheel(index.directory, "right", "1.0", files={"shared/right.py": "right = 1\n"})
    build_wheel(index.directory, "other", "1.0", files={"common.py": "other = 1\n"})
    app = application({"requirements.txt": "left\n"})
    isolate("sync", cwd=app)
    return app


@pytest.mark.parametrize("first", ["left", "right"])
def test_a_file_where_another_has_a_directory_is_refused(isolate, application, with_left, first):
    application({"requirements.txt": f"{first}\n"})
    isolate("sync", cwd=with_left)
    application({"requirements.txt": "left\nright\n"})
    lock, installed = (with_left / "pylock.toml").read_bytes(), versions(with_left / ".venv")
    message = isolate("sync", cwd=with_left, status=2).err
    assert "left installs the file " in message
    assert "/shared, and right a directory" in message
    assert (with_left / "pylock.toml").read_bytes() == lock
    assert versions(with_left / ".venv") == installed


def test_a_file_of_a_distribution_that_the_user_installed_is_a_conflict_of_the_two(isolate, application, with_left):
    application({"requirements.txt": "\n"})
    isolate("sync", cwd=with_left)
    isolate("run", "--no-sync", "--", "python", "-m", "pip", "install", "-q", "left==1.0", cwd=with_left)
    application({"requirements.txt": "other\n"})
    message = isolate("sync", "--inexact", cwd=with_left, status=2).err
    assert "other and left both install" in message
    assert "move it away" not in message


def test_a_refused_first_sync_writes_no_lock(isolate, application, with_left):
    app = application({"requirements.txt": "left\nright\n"}, name="fresh")
    isolate("sync", cwd=app, status=2)
    assert [path.name for path in app.iterdir()] == ["requirements.txt"]
