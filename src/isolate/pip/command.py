"""The command lines that pip gets. Pure: tuples in the order that pip's documentation has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def _pip(python: Path, command: str) -> tuple[str, ...]:
    """Return how pip is run: with `-I`, so that no module of the current directory stands in for one of its own."""
    return (str(python), "-I", "-m", "pip", command)


def resolve_argv(
    python: Path, *, requirements: Sequence[Path], constraints: Sequence[Path], report: Path
) -> tuple[str, ...]:
    """Return the command that resolves *requirements* under *constraints* as if nothing were installed.

    The installation report goes to *report*: https://pip.pypa.io/en/stable/reference/installation-report/
    """
    argv = [*_pip(python, "install"), "--dry-run", "--ignore-installed", "--report", str(report)]
    for path in requirements:
        argv += ["--requirement", str(path)]
    for path in constraints:
        argv += ["--constraint", str(path)]
    return tuple(argv)


def install_arguments(*, requirements: Path, prefix: Path) -> tuple[str, ...]:
    """Return what tells a pip to install exactly *requirements* (a requirements file or a lock) into *prefix*."""
    exactly = ("--no-deps", "--no-compile", "--ignore-installed", "--no-warn-script-location")
    return ("install", *exactly, "--prefix", str(prefix), "--requirement", str(requirements))


def download_argv(python: Path, requirement: str, *, python_version: str, folder: Path) -> tuple[str, ...]:
    """Return the command that puts the newest wheel of *requirement* for another Python (`3.8`) into *folder*."""
    which = ("--no-deps", "--only-binary", ":all:", "--python-version", python_version)
    return (*_pip(python, "download"), *which, "--dest", str(folder), requirement)
