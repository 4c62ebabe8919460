"""The pips that isolate runs: its own, and for Python 3.8 and 3.9 the newest that supports them."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from isolate.interpreters.discovery import version_manager_pythons
from isolate.pip.command import download_argv
from isolate.pip.settings import pip_environment

OWN = "own"
PIPS = [
    pytest.param(OWN, id="our-pip"),
    pytest.param("3.8", id="pip-for-3.8", marks=pytest.mark.network),
    pytest.param("3.9", id="pip-for-3.9", marks=pytest.mark.network),
]
"""What `python_with_pip` accepts."""

ENVIRONMENTS = Path(__file__).parents[2] / ".work/pips"
"""Where the older pips are kept, so that they are downloaded once."""

ORIGINAL_ENVIRON = dict(os.environ)
"""The environment that the tests were started in: it leads to the developer's interpreters and package index."""


@functools.cache
def python_with_pip(version: str) -> str:
    """Return a Python that runs the pip which isolate would give it: this one, or one of the minor *version*.

    Skips the test if no such Python is installed, or its pip cannot be downloaded.
    """
    if version == OWN:
        return sys.executable
    environment = ENVIRONMENTS / version
    if not environment.exists():
        _create(environment, version)
    return str(environment / "bin/python")


def _create(environment: Path, version: str) -> None:
    staged = ENVIRONMENTS / f"{version}.{os.getpid()}"
    try:
        subprocess.run([_installed(version), "-I", "-m", "venv", "--without-pip", staged], check=True)
        with zipfile.ZipFile(_download(version, staged)) as wheel:
            wheel.extractall(staged / f"lib/python{version}/site-packages")
        if not environment.exists():  # another worker may have created it
            staged.rename(environment)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _installed(version: str) -> Path:
    managed = [path for path in version_manager_pythons(ORIGINAL_ENVIRON) if f"/{version}." in str(path)]
    on_path = shutil.which(f"python{version}", path=ORIGINAL_ENVIRON["PATH"])
    for python in ([Path(on_path)] if on_path else []) + managed:
        if subprocess.run([python, "-I", "-c", "import venv"], capture_output=True, check=False).returncode == 0:
            return python
    pytest.skip(f"Python {version} is not installed")


def _download(version: str, directory: Path) -> Path:
    argv = download_argv(Path(sys.executable), "pip", python_version=version, directory=directory)
    env = pip_environment(ORIGINAL_ENVIRON, prefix=Path(sys.prefix))
    if subprocess.run(argv, env=env, capture_output=True, check=False).returncode:
        pytest.skip("the package index cannot be reached")
    return next(directory.glob("pip-*.whl"))
