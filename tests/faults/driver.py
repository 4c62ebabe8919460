"""Run the command line in this process, and die of SIGKILL before or after the n-th change that it makes on disk.

`python driver.py N before|after ARGUMENT...`; with N = 0 it dies of nothing, and writes to standard error how many
changes there were. What counts are the calls that make something visible: renames, and the exchange of two directories.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

COUNTED = ("rename", "replace")


def main() -> None:
    number, when, arguments = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    calls = [0]

    def counted(call: Callable[..., object]) -> Callable[..., object]:
        def wrapper(*args: object, **kwargs: object) -> object:
            calls[0] += 1
            if calls[0] == number and when == "before":
                os.killpg(0, signal.SIGKILL)
            mine = calls[0] == number
            try:
                return call(*args, **kwargs)
            finally:
                if mine and when == "after":
                    os.killpg(0, signal.SIGKILL)

        return wrapper

    for name in COUNTED:
        setattr(os, name, counted(getattr(os, name)))
    sys.argv = ["isolate", *arguments]
    from isolate.environment import staging
    from isolate.fastpath import main as isolate

    staging._exchange = counted(staging._exchange)  # no call of Python's
    try:
        isolate()
    finally:
        if number == 0:
            sys.stderr.write(f"changes: {calls[0]}\n")


if __name__ == "__main__":
    main()
