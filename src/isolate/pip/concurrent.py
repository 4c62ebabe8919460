"""Run several pips that share one start: importing pip takes as long as installing eight small distributions.

The Python of an environment runs this file as a script. Therefore it works with every Python version that pip supports,
and it imports nothing of isolate.

Standard input is a JSON object:

    runs        a list with the arguments of `watched.py` for each pip: where to write its log, and what pip gets
    jobs        how many pips may run at the same time
    fork        whether a fork of this process may run a pip; if not, each pip is a new process
    separator   the text that every line of output begins with

Standard output has one line for each event, written as soon as it happens:

    <separator><number> output <line>     pip <number> (its index in `runs`) printed <line>
    <separator><number> exit <status>     pip <number> has exited; a negative status is a signal
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import sys
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

PRELOADED_MODULES = (
    "pip._internal.cli.main",
    "pip._internal.commands.install",
    "pip._internal.network.session",
    "pip._internal.operations.install.wheel",
    "pip._internal.resolution.resolvelib.resolver",
)
"""The modules that every pip needs for an install. A pip that lacks one of them imports its counterpart later."""

WATCHED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "watched.py")
"""The script that runs one pip and writes down what it says about indexes."""

POLL_INTERVAL = 0.2
"""Seconds between two checks whether a pip has exited although a process that it started keeps its pipe open."""

PR_SET_PDEATHSIG, SIGKILL = 1, 9


def main() -> None:
    """Run the pips that standard input describes."""
    task = json.load(sys.stdin)
    if task["fork"]:
        _preload()
    run_pip = runpy.run_path(WATCHED)["run"] if task["fork"] else _exec_pip
    waiting = list(enumerate(task["runs"]))
    running: list[_RunningPip] = []
    while waiting or running:
        while waiting and len(running) < task["jobs"]:
            number, arguments = waiting.pop(0)
            running.append(_RunningPip(f"{task['separator']}{number}", *_start(run_pip, arguments)))
        select.select([pip.pipe for pip in running], [], [], POLL_INTERVAL)
        running = [pip for pip in running if not pip.poll()]


class _RunningPip:
    """A pip at work: `name` is how its lines begin, `pid` its process, and `pipe` the end from which to read."""

    def __init__(self, name: str, pid: int, pipe: int) -> None:
        self.name, self.pid, self.pipe = name, pid, pipe
        self.partial_line = b""
        os.set_blocking(pipe, False)

    def poll(self) -> bool:
        """Forward new output and return whether this pip has exited; if so, write the line about that, too."""
        pipe_is_open = self._forward_output()
        pid, status = os.waitpid(self.pid, os.WNOHANG if pipe_is_open else 0)
        if not pid:
            return False
        if pipe_is_open:
            self._forward_output()
        if self.partial_line:
            self._write_event(b"output " + self.partial_line)
        os.close(self.pipe)
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
        self._write_event(f"exit {code}".encode())
        return True

    def _forward_output(self) -> bool:
        """Forward all complete lines, and return whether the pipe is still open."""
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self.pipe, 1 << 16):
                *lines, self.partial_line = (self.partial_line + chunk).split(b"\n")
                for line in lines:
                    self._write_event(b"output " + line)
            return False
        return True

    def _write_event(self, event: bytes) -> None:
        sys.stdout.buffer.write(b"%s %s\n" % (self.name.encode(), event))
        sys.stdout.buffer.flush()


def _preload() -> None:
    for name in PRELOADED_MODULES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    with contextlib.suppress(Exception):  # computing it runs programs that name the system; pip caches the answer
        importlib.import_module("pip._internal.network.session").user_agent()
    gc.collect()
    gc.freeze()  # none of this is garbage, so the forked pips need not examine it


def _start(run_pip: Callable[[Sequence[str]], int], arguments: Sequence[str]) -> tuple[int, int]:
    """Call *run_pip* in a child process. Return the process ID, and the file descriptor to read its output from."""
    die_with_parent = _parent_death_signal()
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 2
        try:
            for stream in (1, 2):  # one pipe for both, so that their lines keep their order
                os.dup2(write_end, stream)
            die_with_parent()
            code = run_pip(arguments)
        except BaseException:  # noqa: BLE001 - no exception may escape into the parent's loop
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    os.close(write_end)
    return pid, read_end


def _exec_pip(arguments: Sequence[str]) -> NoReturn:
    os.execv(sys.executable, [sys.executable, "-I", WATCHED, *arguments])


def _parent_death_signal() -> Callable[[], object]:
    """Return a function that makes the kernel kill the calling process when its parent dies, if the system can."""
    if sys.platform == "linux":
        with contextlib.suppress(ImportError):  # a Python may be built without ctypes
            import ctypes

            prctl = ctypes.CDLL(None).prctl
            return lambda: prctl(PR_SET_PDEATHSIG, SIGKILL)
    return lambda: None


if __name__ == "__main__":
    main()
