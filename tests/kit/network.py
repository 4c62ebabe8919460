"""The package index that the user has configured, for tests that need real packages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TIMEOUT = 120.0
"""Seconds that one download may take."""

INHERITED = dict(os.environ)
"""The environment of the test run, before a test takes the user's settings out of it."""


def download(directory: Path, *requirements: str) -> bool:
    """Download wheels of *requirements*, and of what they need, into *directory*; return whether that worked."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--retries", "0", "--only-binary", ":all:"]
    directory.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(
            [*command, "--dest", str(directory), *requirements],
            env=INHERITED,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return not done.returncode
