"""Several pips that share one start: importing pip takes as long as to install eight small distributions.

The Python of an environment runs this file, so it is written for every version that pip itself supports, and imports
nothing of isolate. On standard input it is told, as JSON: `runs`, the arguments of each pip; `at_once`, how many may
work at the same time; `fork`, whether a copy of this process may be one (else each is started anew); and `mark`. What
they say comes out of standard output, each line as soon as it is complete: the mark, the number of the pip in `runs`,
`said`, and the line. When one has ended there is a line for that: the mark, its number, `ended`, and its status
(negative: a signal).
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

NEEDED = (
    "pip._internal.cli.main",
    "pip._internal.commands.install",
    "pip._internal.network.session",
    "pip._internal.operations.install.wheel",
    "pip._internal.resolution.resolvelib.resolver",
)
"""What every pip that installs imports. A pip that has it elsewhere imports it when it is there."""

LOOK = 0.2
"""Seconds between two looks at whether a pip has ended whose stream is held open by what it left running."""

PR_SET_PDEATHSIG, SIGKILL = 1, 9


def main() -> None:
    """Run what standard input tells of."""
    task = json.load(sys.stdin)
    if task["fork"]:
        _prepare()
    work = _run if task["fork"] else _become
    waiting = list(enumerate(task["runs"]))
    working: list[_Pip] = []
    while waiting or working:
        while waiting and len(working) < task["at_once"]:
            number, arguments = waiting.pop(0)
            working.append(_Pip(f"{task['mark']}{number}", *_begun(work, arguments)))
        select.select([pip.stream for pip in working], [], [], LOOK)
        working = [pip for pip in working if not pip.has_ended()]


class _Pip:
    """A pip at work: `name` is what its lines begin with, `process` its number, `stream` where it speaks."""

    def __init__(self, name: str, process: int, stream: int) -> None:
        self.name, self.process, self.stream = name, process, stream
        self.begun = b""  # of a line that is not complete
        os.set_blocking(stream, False)

    def has_ended(self) -> bool:
        """Pass on what it has said meanwhile, and say whether that was all; then that it has ended is passed on too."""
        may_say_more = self._listen()
        process, status = os.waitpid(self.process, os.WNOHANG if may_say_more else 0)
        if not process:
            return False
        if may_say_more:
            self._listen()
        if self.begun:
            self._tell(b"said " + self.begun)
        os.close(self.stream)
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
        self._tell(f"ended {code}".encode())
        return True

    def _listen(self) -> bool:
        """Pass on the lines that are complete, and say whether the stream is open still."""
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self.stream, 1 << 16):
                *lines, self.begun = (self.begun + chunk).split(b"\n")
                for line in lines:
                    self._tell(b"said " + line)
            return False
        return True

    def _tell(self, what: bytes) -> None:
        sys.stdout.buffer.write(b"%s %s\n" % (self.name.encode(), what))
        sys.stdout.buffer.flush()


def _prepare() -> None:
    for name in NEEDED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    with contextlib.suppress(Exception):  # each asks the system for its name by running programs; the answer is kept
        importlib.import_module("pip._internal.network.session").user_agent()
    gc.collect()
    gc.freeze()  # what is there is not garbage, and need not be looked through by each


def _begun(work: Callable[[Sequence[str]], int], arguments: Sequence[str]) -> tuple[int, int]:
    """Begin a pip by *work*, in a process of its own, and return the number of that and where it speaks."""
    die = _dying_with_parent()
    here, there = os.pipe()
    process = os.fork()
    if process == 0:
        code = 2
        try:
            for stream in (1, 2):  # one pipe for both, so that they come in the order in which they were said
                os.dup2(there, stream)
            die()
            code = work(arguments)
        except BaseException:  # noqa: BLE001 - nothing may get out of here into the loop of the parent
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    os.close(there)
    return process, here


def _run(arguments: Sequence[str]) -> int:
    sys.argv = ["pip", *arguments]
    try:
        runpy.run_module("pip", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


def _become(arguments: Sequence[str]) -> NoReturn:
    os.execv(sys.executable, [sys.executable, "-I", "-m", "pip", *arguments])


def _dying_with_parent() -> Callable[[], object]:
    """Return what has the kernel kill the process that calls it when its parent dies, where that can be had."""
    if sys.platform == "linux":
        with contextlib.suppress(ImportError):  # not every Python has it
            import ctypes

            ask = ctypes.CDLL(None).prctl
            return lambda: ask(PR_SET_PDEATHSIG, SIGKILL)
    return lambda: None


if __name__ == "__main__":
    main()
