"""Requirements files mean to isolate what they mean to pip: each is read by both."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from conftest import versions


def by_pip(root, file="requirements.txt"):
    """Return what pip itself would install for a requirements file, from the directory of the application."""
    argv = [
        sys.executable,
        "-Im",
        "pip",
        "install",
        "--dry-run",
        "--ignore-installed",
        "-q",
        "--report",
        "-",
        "-r",
        file,
    ]
    done = subprocess.run(argv, cwd=root, capture_output=True, text=True, check=True)
    items = json.loads(done.stdout)["install"]
    return {item["metadata"]["name"]: item["metadata"]["version"] for item in items}


def holds(isolate, root):
    """Return what a sync installs, once it has been made sure that it is at peace with that."""
    isolate("sync", cwd=root)
    isolate("check", cwd=root)
    assert "nothing to do" in isolate("sync", "--verify", cwd=root).out
    return versions(root / ".venv")


INCLUDES = {
    "first as a constraint": {"requirements.txt": "-c more.txt\n-r more.txt\n", "more.txt": "alpha<2\ndelta\n"},
    "first as requirements": {"requirements.txt": "-r more.txt\n-c more.txt\nbeta\n", "more.txt": "alpha<2\n"},
    "below a constraint": {
        "requirements.txt": "-c more.txt\nalpha\n",
        "more.txt": "alpha<2\n-r deep.txt\n",
        "deep.txt": "delta\n",
    },
    "a constraint below requirements": {
        "requirements.txt": "-r more.txt\n",
        "more.txt": "alpha\n-c deep.txt\n",
        "deep.txt": "alpha<2\n",
    },
}


@pytest.mark.parametrize("case", INCLUDES)
def test_includes_count_as_they_do_to_pip(isolate, application, index, case):
    root = application(INCLUDES[case])
    assert holds(isolate, root) == by_pip(root)
