"""The pips that tests talk to: our own, and that of the oldest Python here which has one of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from isolate.interpreters.discovery import version_manager_pythons


def oldest_pip() -> str | None:
    """Return the oldest Python from 3.8 on, but older than ours, whose pip can write reports; None without one."""
    kept = [str(path) for path in version_manager_pythons(os.environ)]
    for minor in range(8, sys.version_info[1]):
        named = shutil.which(f"python3.{minor}")
        for python in (named, *(path for path in kept if f"/3.{minor}." in path)):
            if python is not None and _writes_reports(python):
                return python
    return None


def _writes_reports(python: str) -> bool:
    argv = [python, "-I", "-c", "import pip; raise SystemExit(int(pip.__version__.split('.')[0]) < 23)"]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


_OLDEST = oldest_pip()
_MISSING = pytest.mark.skipif(_OLDEST is None, reason="there is no older Python with a pip here")
PIPS = [pytest.param(sys.executable, id="our-pip"), pytest.param(_OLDEST, id="old-pip", marks=_MISSING)]
