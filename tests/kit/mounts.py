"""Mount file systems for a test, and unmount them in the end; only the superuser can."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


UNMOUNT_ATTEMPTS = 25


def run(*command: str | Path) -> None:
    """Run *command*; skip the test if the system refuses it."""
    program = shutil.which(command[0], path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if program is None:
        pytest.skip(f"{command[0]} is missing")
    done = subprocess.run([program, *map(str, command[1:])], capture_output=True, text=True, check=False)
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
        unmount(directory)


def unmount(directory: Path) -> None:
    """Unmount *directory*, which a process that is just ending may still use for a moment."""
    for _ in range(UNMOUNT_ATTEMPTS):
        done = subprocess.run(["umount", directory], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        time.sleep(0.2)
    subprocess.run(["umount", "--lazy", directory], check=False)
    raise AssertionError(done.stderr)


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
