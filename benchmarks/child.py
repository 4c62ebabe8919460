"""Run one process and see what it takes: seconds, memory, open file descriptors."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Taken:
    """What a process took: seconds, the megabytes of the largest process in its tree, its own file descriptors."""

    seconds: float
    memory: float
    descriptors: int
    code: int
    errors: str


def watch(
    command: Sequence[str], folder: Path, environ: Mapping[str, str], *, count_descriptors: bool = False
) -> Taken:
    """Run *command* in *folder* to its end; what it writes to standard error is kept, the rest is not.

    A launcher starts it: the memory that a process is said to have had includes that of whoever started it.
    """
    launched = [sys.executable, "-I", "-S", "-c", LAUNCHER, *command]
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            launched,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        with child.stdout as answers:  # type: ignore[union-attr]
            sampler = Sampler(int(answers.readline())) if count_descriptors else None
            seconds, kilobytes, code = answers.read().split()[-3:]
        child.wait()
        errors.seek(0)
        said = errors.read().decode(errors="replace")
    return Taken(float(seconds), int(kilobytes) / 1024, sampler.end() if sampler else 0, int(code), said)


LAUNCHER = """
import os, sys, time
null = os.open(os.devnull, os.O_WRONLY)
started = time.perf_counter()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, null, 1)])
print(child, flush=True)
_, status, usage = os.wait4(child, 0)
print(time.perf_counter() - started, usage.ru_maxrss, os.waitstatus_to_exitcode(status))
"""
"""Runs a command, and prints its process, and then what it took: seconds, kilobytes, its exit status."""


class Sampler:
    """Counts the open file descriptors of a process a hundred times a second, where there is a `/proc`."""

    def __init__(self, pid: int) -> None:
        self._folder, self._most, self._over = f"/proc/{pid}/fd", 0, threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def _sample(self) -> None:
        while not self._over.wait(0.01):
            try:
                self._most = max(self._most, len(os.listdir(self._folder)))
            except OSError:
                return

    def end(self) -> int:
        """Stop, and return the largest number seen."""
        self._over.set()
        self._thread.join()
        return self._most
