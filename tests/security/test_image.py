"""An image that root built, and another user uses read-only: without root's key, a cache, or a network."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import COMMAND_TIMEOUT, SOURCE
from kit.packages import build_wheel

NOBODY = 65534
ENTER = """\
import os, sys
root, uid, directory, *command = sys.argv[1:]
os.chroot(root)
os.chdir(directory)
os.setgroups([])
os.setgid(int(uid))
os.setuid(int(uid))
os.execve(command[0], command, dict(os.environ))
"""
MOUNTED = tuple(dict.fromkeys(["/usr", "/etc", "/dev", sys.base_prefix, sys.prefix, str(SOURCE)]))


def can_mount() -> bool:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-m", "-n", "true"], capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not can_mount(), reason="needs root, chroot, and namespaces")


@dataclass(frozen=True)
class Image:
    """The root directory of an image with Python, isolate, and an application in /app."""

    root: Path

    def run(self, *command: str, uid: int = 0, read_only: bool = True) -> subprocess.CompletedProcess[str]:
        """Run isolate in the image, without a network; the image is mounted read-only unless root builds it."""
        lines = [f"mount --rbind {path} {self.root}{path}" for path in MOUNTED]
        lines.append(f"mount -t tmpfs -o mode=1777 tmpfs {self.root}/tmp")
        if read_only:
            lines = [f"mount --bind {self.root} {self.root}", f"mount -o remount,bind,ro {self.root}", *lines]
        argv = [
            sys.executable,
            "-c",
            ENTER,
            str(self.root),
            str(uid),
            "/app",
            sys.executable,
            "-m",
            "isolate",
            *command,
        ]
        script = "\n".join(["set -e", *lines, f"exec {shlex.join(argv)}"])
        environ = {
            "PATH": "/usr/bin:/bin",
            "HOME": "/home/root" if uid == 0 else "/home/nobody",
            "PYTHONPATH": str(SOURCE),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": "/wheels",
        }
        return subprocess.run(
            ["unshare", "-m", "-n", "sh", "-c", script],
            env=environ,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT,
            check=False,
        )


@pytest.fixture
def image(tmp_path: Path) -> Image:
    """Return an image in which root has synced the application, and deleted the cache and the wheels."""
    root = tmp_path / "image"
    for path in (*MOUNTED, "/app", "/home/root", "/home/nobody", "/tmp"):
        (root / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
    for name in ("bin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    build_wheel(root / "wheels", "alpha", "1.0", scripts={"alpha": "alpha:main"})
    (root / "app/requirements.txt").write_text("alpha==1.0\n")
    for directory in (*root.parents, root):
        if directory.is_relative_to(tmp_path.parent.parent):
            directory.chmod(0o755)
    image = Image(root)
    done = image.run("sync", read_only=False)
    assert done.returncode == 0, done.stderr
    (root / "home/root").chmod(0o700)
    shutil.rmtree(root / "home/root/.cache")
    shutil.rmtree(root / "wheels")
    return image


def test_another_user_runs_the_command_with_one_warning(image):
    done = image.run("run", "--", "alpha", uid=NOBODY)
    assert (done.returncode, done.stdout) == (0, "alpha 1.0\n"), done.stderr
    [warning] = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert warning.startswith("warning: /app/.venv")
    assert "--adopt" not in done.stderr
    assert "Traceback" not in done.stderr


def test_another_user_runs_the_command_without_syncing(image):
    done = image.run("run", "--no-sync", "--", "alpha", uid=NOBODY)
    assert (done.returncode, done.stdout) == (0, "alpha 1.0\n"), done.stderr


@pytest.mark.parametrize("command", ["check", "status"])
def test_another_user_sees_what_is_not_verified(image, command):
    done = image.run(command, uid=NOBODY)
    assert "unverified" in done.stdout, done.stderr
    assert "--adopt" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == (1 if command == "check" else 0)


def test_root_itself_needs_neither_cache_nor_network(image):
    assert image.run("check").stdout.startswith("OK: 1 package")
    assert image.run("run", "--", "alpha").stdout == "alpha 1.0\n"
