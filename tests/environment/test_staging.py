"""The staging directory beside `.venv` is cleared only by whom it belongs to."""

from __future__ import annotations

import pytest

from isolate.environment.staging import MARKER


@pytest.fixture
def staging(application):
    root = application({"requirements.txt": "alpha==1.0\n"})
    (root / ".isolate-staging").mkdir()
    return root / ".isolate-staging"


@pytest.mark.parametrize("mark", ["", "*\n", "somebody's\n", "\xff"])
def test_what_somebody_else_made_is_refused_and_stays(isolate, staging, index, mark):
    (staging / ".gitignore").write_bytes(mark.encode("latin-1"))
    (staging / "notes.txt").write_text("mine")
    for command in ("sync", "check"):
        assert "isolate did not create it" in isolate(command, cwd=staging.parent, status=2).err
    assert (staging / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("mark", [MARKER, MARKER[:9], ""])
def test_what_a_killed_command_began_is_cleared(isolate, staging, index, mark):
    (staging / ".gitignore").write_text(mark)
    if mark == MARKER:
        (staging / "venv").mkdir()
    isolate("sync", cwd=staging.parent)
    assert not staging.exists()
