"""isolate deletes the staging directory beside `.venv` only if isolate created it."""

from __future__ import annotations

import pytest

from isolate.environment.staging import MARKER


@pytest.fixture
def staging(application):
    root = application({"requirements.txt": "alpha==1.0\n"})
    (root / ".isolate-staging").mkdir()
    return root / ".isolate-staging"


@pytest.mark.parametrize("marker", ["", "*\n", "another tool's\n", "\xff"])
def test_a_directory_without_the_marker_is_refused_and_stays(isolate, staging, index, marker):
    (staging / ".gitignore").write_bytes(marker.encode("latin-1"))
    (staging / "notes.txt").write_text("mine")
    for command in ("sync", "check"):
        assert "isolate did not create it" in isolate(command, cwd=staging.parent, status=2).err
    assert (staging / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("marker", [MARKER, MARKER[:9], ""])
def test_the_directory_of_a_killed_command_is_deleted(isolate, staging, index, marker):
    (staging / ".gitignore").write_text(marker)
    if marker == MARKER:
        (staging / "venv").mkdir()
    isolate("sync", cwd=staging.parent)
    assert not staging.exists()
