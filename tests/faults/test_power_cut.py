"""After a power cut, no command calls a wrong environment right, and a sync repairs it.

The application, the store and the user's key are on a file system in an image file. A cut is a copy of that file while
the file system is mounted: what the kernel has not yet written is lost. Where the superuser runs the tests.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import SOURCE, versions
from kit.mounts import mounted, run
from kit.packages import build_wheel

DRIVER = Path(__file__).with_name("driver.py")
CUTS = min(int(os.environ.get("FAULT_STEPS", "2")), 20)
"""At how many renames of each case the power is cut, besides twice at its end."""

COMMIT_SECONDS = 1
"""How often ext4 writes names and sizes by itself, where a test waits for that. Content may take half a minute."""

IMAGE_SIZE = 160 << 20
OLD, NEW = "large==5.1\nsmall==1.0\n", "large==5.2\nsmall==2.0\n"
CASES = {
    "a first sync": (None, ("sync",)),
    "a change": (OLD, ("sync",)),
    "a rebuild": (OLD, ("sync", "--link-mode", "copy")),
    "open versions": (None, ("sync", "--upgrade")),
}
PASSED_ON = ("PATH", "TMPDIR", "LANG")


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    directory = tmp_path_factory.mktemp("packages")
    for large, small in (("5.1", "1.0"), ("5.2", "2.0")):
        files = {f"large/part{n}.py": f"version = {large!r}\nnumber = {n}\n" * 40 for n in range(60)}
        build_wheel(directory, "large", large, files={"large/__init__.py": f"version = {large!r}\n", **files})
        build_wheel(directory, "small", small, scripts={"small": "small:main"})
    return directory


class Machine:
    """A file system that loses what was not written when the power is cut."""

    def __init__(self, root, packages):
        self.before = None
        self.image, self.mount, self.app = root / "image", root / "mount", root / "mount/app"
        self.environ = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        self.environ |= {
            "HOME": str(self.mount / "home"),
            "ISOLATE_CACHE_DIR": str(self.mount / "cache"),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(packages),
            "PIP_CONFIG_FILE": os.devnull,
            "PYTHONPATH": str(SOURCE),
        }

    def running(self, *options):
        return mounted(self.mount, "-o", ",".join(("loop", *options)), self.image)

    def isolate(self, *arguments, status=0):
        done = self.start([sys.executable, "-m", "isolate", *arguments])
        assert done.returncode != 3, done.stderr
        assert status is None or done.returncode == status, done.stdout + done.stderr
        return done

    def drive(self, number, *arguments):
        return self.start([sys.executable, DRIVER, str(number), "after", "SIGKILL", "exchange", *arguments, "-q"])

    def start(self, command):
        return subprocess.run(
            command,
            cwd=self.app,
            env=self.environ,
            start_new_session=True,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def machine(request, tmp_path, packages, seeded_cache):
    """Return a machine on which the case's first environment was made, and everything written."""
    before, _ = CASES[request.param]
    machine = Machine(tmp_path, packages)
    with machine.image.open("wb") as file:
        file.truncate(IMAGE_SIZE)
    run("mkfs.ext4", "-q", "-F", machine.image)
    with machine.running():
        machine.app.mkdir()
        (machine.mount / "home").mkdir()
        shutil.copytree(seeded_cache, machine.mount / "cache", symlinks=True)
        if before is not None:
            (machine.app / "requirements.txt").write_text(before)
            machine.isolate("sync", "-q")
            machine.before = contents(machine.app / ".venv")
        declared = "large>=5\nsmall>=1\n" if request.param == "open versions" else NEW
        (machine.app / "requirements.txt").write_text(declared)
    return machine


def contents(venv):
    """Return the files of the packages and their environment, by their path; bytecode and records aside."""
    paths = [path for path in venv.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {str(path.relative_to(venv)): path.read_bytes() for path in paths if ".isolate" not in path.parts}


def wrong(venv, *expected):
    """Return the files that differ from the last of the *expected* contents, unless all are as one of them says."""
    now = contents(venv)
    return (
        []
        if now in expected
        else sorted(path for path in {*now, *expected[-1]} if now.get(path) != expected[-1].get(path))
    )


def copy(image, target):
    """Copy a file system, most of which has never been written to."""
    subprocess.run(["cp", "--sparse=always", image, target], check=True)


@pytest.mark.parametrize("machine", CASES, indirect=True)
def test_power_cuts(machine, request, tmp_path):
    _, command = CASES[request.node.callspec.params["machine"]]
    base, cut = tmp_path / "base", tmp_path / "cut"
    copy(machine.image, base)
    with machine.running():
        done = machine.drive(0, *command)
        assert done.returncode == 0, done.stderr
        right = contents(machine.app / ".venv")
    changes = int(re.search(r"changes: (\d+)", done.stderr)[1])
    points = [0, 0, *sorted(random.Random(3).sample(range(1, changes + 1), min(CUTS, changes)))]
    for turn, point in enumerate(points):
        copy(base, machine.image)
        waits = turn == 0
        with machine.running(*[f"commit={COMMIT_SECONDS}"] * waits):
            machine.drive(point, *command)
            time.sleep(3 * COMMIT_SECONDS * waits)
            copy(machine.image, cut)
        os.replace(cut, machine.image)
        with machine.running():
            venv = machine.app / ".venv"
            if turn % 2:
                said = machine.isolate("check", status=None)
                assert said.returncode != 0 or wrong(venv, machine.before, right) == [], (point, said.stdout)
            said = machine.isolate("sync")
            assert wrong(venv, right) == [], (point, turn, versions(venv), said.stdout, said.stderr)
            machine.isolate("check", "--hash")
