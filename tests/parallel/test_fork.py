"""A process that begins as a copy of this one: no signal is lost meanwhile, and none makes it say anything."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from conftest import LONGEST, SOURCE

BEGINNINGS = {
    "crew": """
from contextlib import nullcontext
from isolate.parallel.pool import Crew

class Board:
    def hears(self, *told): pass
    begins = ends = moves = hears

def work():
    task = lambda progress: time.sleep(SECONDS)
    return [result for _, result in Crew(tasks={"a": task, "b": task}, at_once=2, board=Board()).work()]
""",
    "cores": """
from isolate import cores
cores.cores = lambda: 2
work = lambda: cores.looked_at(lambda item: time.sleep(SECONDS / 10), range(2 * cores.LOOKS_WORTH))
""",
    "process": """
from pathlib import Path
from isolate import process
work = lambda: process.run((sys.executable, "-c", f"import time; time.sleep({SECONDS})"), env=os.environ, cwd=Path("/"))
""",
}
RUN = """
import os, signal, sys, time
SECONDS = {seconds}
{beginning}
os.register_at_fork(after_in_{which}=lambda: os.kill(os.getpid(), signal.SIGINT))
try:
    print(work())
except KeyboardInterrupt:
    print("interrupted")
try:
    while True:
        os.waitpid(-1, 0)
        print("somebody was left behind")
except ChildProcessError:
    pass
"""


def ended(beginning, which, seconds):
    text = RUN.format(beginning=BEGINNINGS[beginning], which=which, seconds=seconds)
    return subprocess.run(
        [sys.executable, "-c", text],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_an_interrupt_while_a_process_begins_is_not_lost(beginning):
    done = ended(beginning, "parent", seconds=5)
    assert (done.stdout, done.stderr, done.returncode) == ("interrupted\n", "", 0)


@pytest.mark.parametrize("beginning", ["crew", "cores"])
def test_one_that_is_interrupted_as_it_begins_ends_without_a_word(beginning):
    done = ended(beginning, "child", seconds=0.1)
    assert done.stderr == ""
    assert "WorkerLost" in done.stdout if beginning == "crew" else done.stdout == f"{[None] * 8}\n"
