"""isolate deletes the staging directory beside `.venv` only if isolate created it."""

from __future__ import annotations

import pytest

from isolate.environment.staging import MARKER
from kit.records import write_signed

pytestmark = pytest.mark.store("warm")


@pytest.fixture
def staging(application):
    root = application({"requirements.txt": "alpha==1.0\n"})
    (root / ".isolate-staging").mkdir()
    return root / ".isolate-staging"


@pytest.mark.parametrize("marker", ["", "*\n", "another tool's\n", "\xff", MARKER, MARKER + "more"])
def test_a_directory_without_a_valid_marker_stays_and_another_name_is_used(isolate, staging, index, marker):
    app = staging.parent
    (staging / ".gitignore").write_bytes(marker.encode("latin-1"))
    (staging / "venv").mkdir()
    (staging / "venv/notes.txt").write_text("mine")
    isolate("check", cwd=app, status=1)
    assert isolate("sync", cwd=app).err.count("has no valid mark of isolate; it stays") == 1
    isolate("check", cwd=app)
    assert "nothing to do" in isolate("sync", cwd=app).out
    assert (staging / "venv/notes.txt").read_text() == "mine"
    assert not (app / ".isolate-staging-2").exists()


def test_a_file_or_link_with_the_name_stays(isolate, staging, index, tmp_path):
    app = staging.parent
    staging.rmdir()
    staging.symlink_to(tmp_path)
    (app / ".isolate-staging-2").write_text("mine")
    assert "and .isolate-staging-3 is used" in isolate("sync", cwd=app).err
    assert staging.is_symlink()
    assert (app / ".isolate-staging-2").read_text() == "mine"


def test_what_a_killed_command_left_under_another_name_is_deleted(isolate, staging, index):
    app = staging.parent
    (staging / "notes.txt").write_text("mine")
    (app / ".isolate-staging-2/venv").mkdir(parents=True)
    write_signed(app / ".isolate-staging-2/.gitignore", MARKER, "mark")
    isolate("check", cwd=app, status=1)
    assert not (app / ".isolate-staging-2").exists()
    assert (staging / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("marker", [MARKER, ""])
def test_the_directory_of_a_killed_command_is_deleted(isolate, staging, index, marker):
    (staging / ".gitignore").write_text("")
    if marker:
        write_signed(staging / ".gitignore", MARKER, "mark")
        (staging / "venv").mkdir()
    isolate("sync", cwd=staging.parent)
    assert not staging.exists()
