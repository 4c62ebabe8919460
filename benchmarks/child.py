"""Run one process and see what it takes: seconds, memory, open file descriptors."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
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
    """Run *command* in *folder* to its end; what it writes to standard error is kept, the rest is not."""
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors
        )
        sampler = Sampler(child.pid) if count_descriptors else None
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read().decode(errors="replace")
    return Taken(seconds, usage.ru_maxrss / 1024, sampler.end() if sampler else 0, child.returncode, said)


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
