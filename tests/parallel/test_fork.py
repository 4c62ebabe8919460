"""Forking a worker loses no signal, and an interrupted worker writes nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from conftest import COMMAND_TIMEOUT, SOURCE

STARTERS = {
    "pool": """
from isolate.parallel.pool import WorkerPool

class Observer:
    def on_message(self, *arguments): pass
    on_start = on_finish = tick = on_message

def work():
    task = lambda progress: time.sleep(SECONDS)
    return [result for _, result in WorkerPool({"a": task, "b": task}, 2, Observer()).as_completed()]
""",
    "map": """
from isolate.parallel import map
map.cores = lambda: 2
work = lambda: map.parallel_map_readonly(lambda item: time.sleep(SECONDS / 10), range(2 * map.MIN_READS_PER_WORKER))
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
{starter}
os.register_at_fork(after_in_{which}=lambda: os.kill(os.getpid(), signal.SIGINT))
try:
    print(work())
except KeyboardInterrupt:
    print("interrupted")
try:
    while True:
        os.waitpid(-1, 0)
        print("a process was left behind")
except ChildProcessError:
    pass
"""


def run(starter, which, seconds):
    text = RUN.format(starter=STARTERS[starter], which=which, seconds=seconds)
    return subprocess.run(
        [sys.executable, "-c", text],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=COMMAND_TIMEOUT,
        check=False,
    )


@pytest.mark.parametrize("starter", STARTERS)
def test_an_interrupt_while_a_process_starts_is_not_lost(starter):
    done = run(starter, "parent", seconds=5)
    assert (done.stdout, done.stderr, done.returncode) == ("interrupted\n", "", 0)


@pytest.mark.parametrize("starter", ["pool", "map"])
def test_a_worker_that_is_interrupted_as_it_starts_ends_silently(starter):
    done = run(starter, "child", seconds=0.1)
    assert done.stderr == ""
    assert "WorkerLost" in done.stdout if starter == "pool" else done.stdout == f"{[None] * 8}\n"
