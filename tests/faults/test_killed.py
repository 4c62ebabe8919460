"""Commands are killed with their process group. The environment is inspected at once, and after one more command.

`make faults` runs the long form: FAULT_KILLS is the number of kills at random instants in each case.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import environment_in, inconsistencies, versions
from kit.packages import build_wheel
from kit.records import record_table

RANDOM_KILLS = int(os.environ.get("FAULT_KILLS", "6"))
MAX_STEPS = int(os.environ.get("FAULT_STEPS", "12"))
DRIVER = Path(__file__).with_name("driver.py")
USE_REAL_PACKAGES = bool(os.environ.get("FAULT_REAL"))
PIP_SETTINGS = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
SMALL_PACKAGES = 14
MODULES_OF_LARGE = 300
OTHER_PYTHON = "/usr/bin/python3"
DEAD_PROXY = "http://127.0.0.1:9"

REAL_BEFORE = """\
asgiref==3.8.1
certifi==2024.8.30
charset-normalizer==3.4.0
click==8.1.7
django==5.1.4
greenlet==3.1.1
idna==3.10
jinja2==3.1.4
markupsafe==3.0.1
requests==2.32.3
six==1.16.0
sqlalchemy==2.0.36
sqlparse==0.5.2
typing-extensions==4.12.2
urllib3==2.2.3
"""
REAL_AFTER = """\
asgiref==3.9.1
certifi==2025.4.26
charset-normalizer==3.4.2
click==8.2.1
django==5.2.1
greenlet==3.2.2
idna==3.10
jinja2==3.1.6
markupsafe==3.0.2
requests==2.32.4
six==1.17.0
sqlalchemy==2.0.41
sqlparse==0.5.3
typing-extensions==4.13.2
urllib3==2.4.0
"""


@dataclass(frozen=True)
class Case:
    """A change to an application: what it declares before and after, and the command that makes the change."""

    before: str | None
    after: str
    command: tuple[str, ...] = ("sync",)


def pins(version: str, *, large: str) -> str:
    return f"large=={large}\n" + "".join(f"small{number}=={version}\n" for number in range(SMALL_PACKAGES))


OLD, NEW = (REAL_BEFORE, REAL_AFTER) if USE_REAL_PACKAGES else (pins("1.0", large="5.1"), pins("2.0", large="5.2"))
CASES = {
    "first sync": Case(None, OLD),
    "upgrade": Case(OLD, NEW),
    "removal": Case(OLD, OLD.splitlines()[-1] + "\n"),
    "bytecode": Case(OLD, OLD, ("sync", "--compile")),
    "another Python": Case(OLD, OLD, ("sync", "--python", OTHER_PYTHON)),
    "rollback": Case(OLD, NEW, ("rollback",)),
    "another link mode": Case(OLD, OLD, ("sync", "--link-mode", "copy")),
}
if not USE_REAL_PACKAGES:
    CASES["a file of two packages"] = Case("left==1.0\nright==1.0\n", "left==1.0\n")
if not os.path.exists(OTHER_PYTHON) or os.path.realpath(OTHER_PYTHON) == os.path.realpath(sys._base_executable):
    del CASES["another Python"]


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Return the settings by which pip finds the packages: tiny generated ones, or real ones from the package index."""
    if USE_REAL_PACKAGES:
        return PIP_SETTINGS
    directory = tmp_path_factory.mktemp("packages")
    for version, large in (("1.0", "5.1"), ("2.0", "5.2")):
        files = {f"large/part{n % 20}/module{n}.py": f"version = {large!r}\n" for n in range(MODULES_OF_LARGE)}
        build_wheel(directory, "large", large, files={"large/__init__.py": f"version = {large!r}\n", **files})
        for number in range(SMALL_PACKAGES):
            build_wheel(directory, f"small{number}", version, scripts={f"small{number}": f"small{number}:main"})
    for name in ("left", "right"):
        build_wheel(directory, name, "1.0", files={f"{name}/__init__.py": "import common\n", "common.py": ""})
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(directory)}


class Victim:
    """An application whose state before the change can be restored."""

    def __init__(self, case: Case, root: Path, settings: dict[str, str]) -> None:
        self.case, self.root = case, root
        links = root.parent / "links"
        if not USE_REAL_PACKAGES:
            links.symlink_to(settings["PIP_FIND_LINKS"])
            settings = {**settings, "PIP_FIND_LINKS": str(links)}
        self.environ = {**environment_in(root.parent), **settings}
        root.mkdir()
        self.declare(case.before or case.after)
        if case.before:
            self.run("sync", "-q")
            (self.root / ".venv/notes.txt").write_text("mine")
        if case.command[0] == "rollback":
            self.declare(case.after)
            self.run("sync", "-q")
        self.venv, self.kept = root / ".venv", root.parent / "kept"
        if case.before:
            shutil.copytree(self.venv, self.kept, symlinks=True)
        self.old = self.contents()
        self.declare(case.after)
        self.run(*case.command, "-q")
        self.new = self.contents()
        # From now on everything has to come from the store; the settings stay, since a lock is remembered for them.
        links.unlink(missing_ok=True)
        self.environ |= {"HTTP_PROXY": DEAD_PROXY, "HTTPS_PROXY": DEAD_PROXY}
        self.restore()
        started = time.monotonic()
        self.run(*case.command, "-q")
        self.duration = time.monotonic() - started

    def declare(self, text: str) -> None:
        (self.root / "requirements.txt").write_text(text)

    def run(self, *arguments: str, status: int | None = 0) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "isolate", *arguments]
        done = subprocess.run(
            command, cwd=self.root, env=self.environ, capture_output=True, text=True, timeout=120, check=False
        )
        assert status is None or done.returncode == status, done.stderr
        assert done.returncode != 3, done.stderr
        return done

    def restore(self) -> None:
        shutil.rmtree(self.venv, ignore_errors=True)
        if self.case.before:
            shutil.copytree(self.kept, self.venv, symlinks=True, copy_function=os.link)

    def contents(self) -> dict[str, object] | None:
        """Return what is installed, and whether it has bytecode; None if there is no environment."""
        if not os.path.lexists(self.root / ".venv"):
            return None
        venv = self.root / ".venv"
        compiled = any(any(venv.glob(f"lib/*/site-packages/{name}/__pycache__/*.pyc")) for name in ("large", "django"))
        return {**versions(venv), "compiled": compiled, **self.facts(venv)}

    @staticmethod
    def facts(venv: Path) -> dict[str, object]:
        """Return what distinguishes environments that hold the same packages, and the user's own file."""
        notes, state = venv / "notes.txt", record_table(venv / ".isolate/state.json")
        return {
            "python": (venv / "pyvenv.cfg").read_text(),
            "notes": notes.read_text() if notes.exists() else None,
            "link mode": state["link_mode"],
        }

    def is_whole(self) -> bool:
        now = self.contents()
        if now not in (self.old, self.new) or (now is not None and inconsistencies(self.venv)):
            return False
        if now is None:
            return True
        code = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"
        names = [name.lower() for name in now if name not in NOT_PACKAGES]
        done = subprocess.run(
            [self.venv / "bin/python", "-B", "-I", "-c", code, *names], capture_output=True, check=False
        )
        return done.returncode == 0

    def leftovers(self) -> list[str]:
        tmp = Path(self.environ["ISOLATE_CACHE_DIR"], "store-v1/tmp")
        found = [*tmp.iterdir(), self.root / ".isolate-staging", self.venv / ".isolate/work"]
        found += [
            path
            for path in (*self.root.iterdir(), *self.root.glob(".venv/.isolate/*"))
            if path.name.startswith(".") and "-" in path.name
        ]
        return sorted({str(path) for path in found if os.path.lexists(path)})


NOT_PACKAGES = ("compiled", "python", "notes", "link mode")
COMMANDS = (("check",), ("history",), ("run", "--no-sync", "--", "python", "-c", ""), ("sync", "-q"))


@pytest.fixture(scope="module")
def victims():
    """Return the victims that were made already, by the name of their case."""
    return {}


@pytest.fixture
def victim(request, victims, tmp_path_factory, packages, seeded_cache):
    """Return the victim of a case, in a home with a cache of its own that all tests of the case share."""
    if request.param not in victims:
        home = tmp_path_factory.mktemp("victim")
        shutil.copytree(seeded_cache, home / "cache", symlinks=True)
        victims[request.param] = Victim(CASES[request.param], home / "app", packages)
    return victims[request.param]


def inspect(victim, number):
    """Return whether the environment was whole at once; after one more command it has to be, with no leftovers."""
    at_once = victim.is_whole()
    command = COMMANDS[number % len(COMMANDS)]
    victim.run(*command, status=None)
    assert victim.is_whole(), f"not whole after {command}: {victim.contents()} {inconsistencies(victim.venv)[:5]}"
    assert victim.leftovers() == [], command
    return at_once


@pytest.mark.parametrize("victim", CASES, indirect=True)
def test_killed_at_random_instants(victim, request):
    random.seed(1)
    whole = 0
    for number in range(RANDOM_KILLS):
        victim.restore()
        command = [sys.executable, "-m", "isolate", *victim.case.command, "-q"]
        child = subprocess.Popen(
            command, cwd=victim.root, env=victim.environ, start_new_session=True, stderr=subprocess.DEVNULL
        )
        time.sleep(random.uniform(0, victim.duration))
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        whole += inspect(victim, number)
    record(request.node.name, whole, RANDOM_KILLS)
    assert whole >= RANDOM_KILLS - max(1, RANDOM_KILLS // 10)  # the renames in place are a small part of a run


@pytest.mark.parametrize("victim", CASES, indirect=True)
def test_killed_at_every_recorded_step(victim, request):
    changes = int(re.search(r"changes: (\d+)", drive(victim, 0, "before", "SIGKILL", "exchange").stderr)[1])
    chosen = (
        range(1, changes + 1)
        if changes <= MAX_STEPS
        else sorted(random.Random(2).sample(range(1, changes + 1), MAX_STEPS))
    )
    whole = total = 0
    for number in chosen:
        for moment in ("before", "after"):
            if (
                drive(victim, number, moment, "SIGKILL", "exchange").returncode == 0
            ):  # it had fewer changes to make than the first
                assert victim.contents() == victim.new
                continue
            whole += inspect(victim, number)
            total += 1
    assert total >= len(chosen) > 0
    record(request.node.name, whole, total)


REBUILDS = [name for name in ("another Python", "another link mode") if name in CASES]
ENDS = [
    *(("before", end) for end in ("SIGINT", "SIGTERM", "error")),
    *(("after", end) for end in ("SIGINT", "SIGTERM", "SIGKILL")),
]


@pytest.mark.parametrize(("moment", "end"), ENDS)
@pytest.mark.parametrize("victim", REBUILDS, indirect=True)
def test_interrupted_where_directories_cannot_be_exchanged(victim, moment, end):
    changes = int(re.search(r"changes: (\d+)", drive(victim, 0, moment, end, "rename").stderr)[1])
    stopped = 0
    # The last two changes move the old environment away, then the new one in.
    for number in range(max(1, changes - 2), changes + 1):
        done = drive(victim, number, moment, end, "rename")
        assert done.returncode != 3, done.stderr
        assert "Traceback" not in done.stderr
        if end == "SIGKILL":
            inspect(victim, number)
        else:
            assert victim.is_whole(), f"{number}: {victim.contents()} {done.stderr}"
            assert victim.leftovers() == []
        stopped += done.returncode != 0
    assert stopped >= 2


def drive(victim, number, moment, end, exchange):
    """Run the case's command so that it is stopped at its change *number*, and return the finished process."""
    victim.restore()
    command = [sys.executable, DRIVER, str(number), moment, end, exchange, *victim.case.command, "-q"]
    return subprocess.run(
        command,
        cwd=victim.root,
        env=victim.environ,
        start_new_session=True,
        capture_output=True,
        text=True,
        check=False,
    )


def record(name: str, whole: int, total: int) -> None:
    """Append the figures to the file that FAULT_FIGURES names, if it does."""
    if path := os.environ.get("FAULT_FIGURES"):
        with open(path, "a") as file:
            file.write(json.dumps({"case": name, "whole at once": whole, "kills": total}) + "\n")
