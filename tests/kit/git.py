"""Git repositories for tests."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = ("-c", "user.name=n", "-c", "user.email=e@example.invalid", "-c", "init.defaultBranch=main")


def git(directory: Path, *arguments: str) -> None:
    """Run git in *directory*, with a user and without the settings of the user who runs the tests."""
    subprocess.run(["git", *SETTINGS, *arguments], cwd=directory, check=True, capture_output=True)


def commit(directory: Path) -> None:
    """Commit everything in *directory*."""
    git(directory, "add", "--all")
    git(directory, "commit", "--allow-empty", "-m", "all")
