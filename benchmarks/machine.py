"""What this machine is, what the tools are, and what anything must take here."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import time
from pathlib import Path

from measure import settle
from tools import PYTHON

STARTS = 10
ASKED = {"isolate": "isolate", "uv": "uv", "pip-tools": "pip-sync", "pip": "pip"}


def machine(work: Path) -> dict[str, str | int | float]:
    """Return what matters about this machine."""
    pages, page = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": os.cpu_count() or 0,
        "ram_gb": round(pages * page / 1e9, 1),
        "file_system": file_system(work),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load": round(os.getloadavg()[0], 2),
    }


def file_system(folder: Path) -> str:
    """Return the type of the file system of *folder*, or "unknown" where there is no `/proc`."""
    try:
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    except OSError:
        return "unknown"
    above = {str(folder.resolve()), *map(str, folder.resolve().parents)}
    found = [(len(mount[1]), number, mount[2]) for number, mount in enumerate(mounts) if mount[1] in above]
    return max(found)[2] if found else "unknown"


def versions(binaries: Path) -> dict[str, str]:
    """Return the version of each tool, in its own words, and of the Python that the environments are made of."""
    found = {name: _said(str(binaries / command), "--version") for name, command in ASKED.items()}
    # pip goes on to say where it is.
    found["pip"] = found["pip"].partition(" from ")[0]
    return {**found, "python": _said(PYTHON, "--version")}


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def floor(environment: Path, target: Path) -> dict[str, float]:
    """Return what this machine needs at the least: to start Python, to make *environment*'s directories and links."""
    started = time.perf_counter()
    for _ in range(STARTS):
        subprocess.run([PYTHON, "-I", "-c", ""], check=True)
    start = (time.perf_counter() - started) / STARTS
    folders, files = _inside(environment)
    settle()
    started = time.perf_counter()
    for folder in folders:
        os.mkdir(os.path.join(target, folder))
    made = time.perf_counter()
    for file in files:
        os.link(os.path.join(environment, file), os.path.join(target, file), follow_symlinks=False)
    linked = time.perf_counter()
    shutil.rmtree(target)
    return {
        "start Python": start,
        f"make {len(folders)} directories": made - started,
        f"make {len(files)} links": linked - made,
    }


def _inside(environment: Path) -> tuple[list[str], list[str]]:
    folders, files = [], []
    for where, _, names in os.walk(environment):
        folder = os.path.relpath(where, environment)
        folders.append("" if folder == "." else folder)
        files += [os.path.join(folders[-1], name) for name in names]
    return folders, files
