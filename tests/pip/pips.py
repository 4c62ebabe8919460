"""The pips that tests run: the one of this interpreter, and that of the oldest Python here which has a usable pip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from isolate.interpreters.discovery import version_manager_pythons


def oldest_pip() -> str | None:
    """Return the oldest Python from 3.8 on whose pip writes reports; None if no Python older than this one has one."""
    managed = [str(path) for path in version_manager_pythons(os.environ)]
    for minor in range(8, sys.version_info[1]):
        on_path = shutil.which(f"python3.{minor}")
        for python in (on_path, *(path for path in managed if f"/3.{minor}." in path)):
            if python is not None and _writes_reports(python):
                return python
    return None


def _writes_reports(python: str) -> bool:
    argv = [python, "-I", "-c", "import pip; raise SystemExit(int(pip.__version__.split('.')[0]) < 23)"]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


_OLDEST = oldest_pip()
_MISSING = pytest.mark.skipif(_OLDEST is None, reason="no older Python with a pip is installed")
PIPS = [pytest.param(sys.executable, id="our-pip"), pytest.param(_OLDEST, id="old-pip", marks=_MISSING)]
