"""Mount file systems for a test, and unmount them in the end; only the superuser can."""

from __future__ import annotations

import contextlib
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def run(*command: str | Path) -> None:
    """Run *command*; skip the test if the system refuses it."""
    try:
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        pytest.skip(f"{error.filename} is missing")
    if done.returncode != 0:
        pytest.skip(f"{command[0]}: {done.stderr.strip()}")


@contextlib.contextmanager
def mounted(directory: Path, *arguments: str | Path) -> Iterator[Path]:
    """Yield *directory* with what `mount` with *arguments* puts there."""
    if os.geteuid() != 0:
        pytest.skip("only the superuser can mount")
    directory.mkdir(exist_ok=True)
    run("mount", *arguments, directory)
    try:
        yield directory
    finally:
        subprocess.run(["umount", directory], check=False)


@contextlib.contextmanager
def overlay(lower: Path, scratch: Path) -> Iterator[Path]:
    """Yield a directory that shows *lower*; changes go to *scratch*, which is on a file system of its own."""
    with mounted(scratch, "-t", "tmpfs", "tmpfs"):
        for name in ("upper", "work"):
            (scratch / name).mkdir()
        options = f"lowerdir={lower},upperdir={scratch}/upper,workdir={scratch}/work"
        with mounted(scratch / "merged", "-t", "overlay", "-o", options, "overlay") as merged:
            yield merged


@contextlib.contextmanager
def immutable(path: Path) -> Iterator[None]:
    """Make the file or directory *path* one that not even the superuser can change or move."""
    run("chattr", "+i", path)
    try:
        yield
    finally:
        run("chattr", "-i", path)
