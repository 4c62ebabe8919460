"""Build the command lines for pip. Pure: tuples whose arguments are in the order of pip's documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


IGNORE_INSTALLED = "--ignore-installed"
"""The option with which pip resolves as if nothing were installed."""


def resolve_arguments(*, requirements: Sequence[Path], constraints: Sequence[Path], report: Path) -> tuple[str, ...]:
    """Return the arguments for pip that resolve *requirements* under *constraints* as if nothing were installed.

    pip writes its installation report to *report*: https://pip.pypa.io/en/stable/reference/installation-report/
    """
    arguments = ["install", "--dry-run", IGNORE_INSTALLED, "--report", str(report)]
    for path in requirements:
        arguments += ["--requirement", str(path)]
    for path in constraints:
        arguments += ["--constraint", str(path)]
    return tuple(arguments)


def install_arguments(*, requirements: Path, prefix: Path) -> tuple[str, ...]:
    """Return the arguments for pip that install exactly *requirements* into *prefix*.

    *requirements* is a requirements file or a lock.
    """
    options = ("--no-deps", "--no-compile", "--ignore-installed", "--no-warn-script-location")
    return ("install", *options, "--prefix", str(prefix), "--requirement", str(requirements))


def choose_arguments(*, requirements: Path) -> tuple[str, ...]:
    """Return the arguments for pip that choose an artifact for each of *requirements* and install nothing."""
    return ("install", "--dry-run", "--no-deps", "--ignore-installed", "--requirement", str(requirements))


def download_arguments(*, requirements: Path, directory: Path) -> tuple[str, ...]:
    """Return the arguments for pip that download the artifacts of *requirements* into *directory*."""
    return ("download", "--no-deps", "--dest", str(directory), "--requirement", str(requirements))


def download_argv(python: Path, requirement: str, *, python_version: str, directory: Path) -> tuple[str, ...]:
    """Return the command that downloads the newest wheel of *requirement* into *directory*.

    The wheel is for another Python, *python_version* (`3.8`).
    """
    options = ("--no-deps", "--only-binary", ":all:", "--python-version", python_version)
    # With `-I`, no module of the current directory shadows one that pip needs.
    return (str(python), "-I", "-m", "pip", "download", *options, "--dest", str(directory), requirement)
