"""Several pips that share one start: importing pip takes as long as to install eight small distributions.

The Python of an environment runs this file, so it is written for every version that pip itself supports, and imports
nothing of isolate. On standard input it is told, as JSON: `runs`, the arguments of each pip; `at_once`, how many may
work at the same time; `fork`, whether a copy of this process may be one (else each is started anew); and `mark`. All
that they say comes out of standard output, and when one ends a line for it: the mark, its number in `runs`, and its
status (negative: a signal).
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
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

PR_SET_PDEATHSIG, SIGKILL = 1, 9


def main() -> None:
    """Run what standard input tells of."""
    task = json.load(sys.stdin)
    os.dup2(1, 2)  # one stream, so that what a pip says comes before the line that it has ended
    if task["fork"]:
        _prepare()
    work = _run if task["fork"] else _become
    waiting = list(enumerate(task["runs"]))
    working: dict[int, int] = {}  # numbers of runs by those of their processes
    while waiting or working:
        while waiting and len(working) < task["at_once"]:
            number, arguments = waiting.pop(0)
            working[_begun(work, arguments)] = number
        process, status = os.wait()
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
        sys.stdout.write(f"{task['mark']}{working.pop(process)} {code}\n")
        sys.stdout.flush()


def _prepare() -> None:
    for name in NEEDED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    with contextlib.suppress(Exception):  # each asks the system for its name by running programs; the answer is kept
        importlib.import_module("pip._internal.network.session").user_agent()
    gc.collect()
    gc.freeze()  # what is there is not garbage, and need not be looked through by each


def _begun(work: Callable[[Sequence[str]], int], arguments: Sequence[str]) -> int:
    """Begin a pip by *work*, in a process of its own, and return the number of that."""
    die = _dying_with_parent()
    process = os.fork()
    if process == 0:
        code = 2
        try:
            die()
            code = work(arguments)
        except BaseException:  # noqa: BLE001 - nothing may get out of here into the loop of the parent
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return process


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
            import ctypes  # noqa: PLC0415 - see above

            ask = ctypes.CDLL(None).prctl
            return lambda: ask(PR_SET_PDEATHSIG, SIGKILL)
    return lambda: None


if __name__ == "__main__":
    main()
