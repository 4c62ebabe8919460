"""Two distributions that install the same file are refused, whichever of them is already installed."""

from __future__ import annotations

import pytest

from conftest import versions
from kit.packages import build_wheel


def test_two_distributions_with_the_same_file_are_named(isolate, application, index):
    build_wheel(index.directory, "left", "1.0", files={"shared.py": "left = 1\n"})
    build_wheel(index.directory, "right", "1.0", files={"shared.py": "right = 1\n"})
    app = application({"requirements.txt": "left==1.0\nright==1.0\n"})
    message = isolate("sync", cwd=app, status=2).err
    assert "left and right both install" in message
    isolate("sync", application({"requirements.txt": "left==1.0\n"}, name="l"))
    isolate("sync", application({"requirements.txt": "right==1.0\n"}, name="r"))
    message = isolate("sync", cwd=app, status=2).err
    assert "left" in message
    assert "right" in message
    assert not (app / ".venv").exists()


@pytest.fixture
def with_left(isolate, application, index):
    """Return an application with a lock that has `left` installed; `right` has the same file."""
    build_wheel(index.directory, "left", "1.0", files={"shared.py": "left = 1\n"})
    build_wheel(index.directory, "right", "1.0", files={"shared.py": "right = 1\n"})
    app = application({"requirements.txt": "left\n"})
    isolate("sync", cwd=app)
    return app


def test_a_file_of_an_installed_distribution_is_a_conflict_of_the_two(isolate, application, with_left):
    application({"requirements.txt": "left\nright\n"})
    message = isolate("sync", cwd=with_left, status=2).err
    assert "right and left both install" in message
    assert "move it away" not in message


def test_a_file_of_a_distribution_that_the_user_installed_is_a_conflict_of_the_two(isolate, application, with_left):
    application({"requirements.txt": "\n"})
    isolate("sync", cwd=with_left)
    isolate("run", "--no-sync", "--", "python", "-m", "pip", "install", "-q", "left==1.0", cwd=with_left)
    application({"requirements.txt": "right\n"})
    message = isolate("sync", "--inexact", cwd=with_left, status=2).err
    assert "right and left both install" in message
    assert "move it away" not in message


def test_a_refused_change_leaves_the_lock_unchanged(isolate, application, with_left):
    lock, installed = (with_left / "pylock.toml").read_bytes(), versions(with_left / ".venv")
    application({"requirements.txt": "left\nright\n"})
    isolate("sync", cwd=with_left, status=2)
    assert (with_left / "pylock.toml").read_bytes() == lock
    assert versions(with_left / ".venv") == installed


def test_a_refused_first_sync_writes_no_lock(isolate, application, with_left):
    app = application({"requirements.txt": "left\nright\n"}, name="fresh")
    isolate("sync", cwd=app, status=2)
    assert [path.name for path in app.iterdir()] == ["requirements.txt"]
