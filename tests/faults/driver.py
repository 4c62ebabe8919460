"""Run the command line in this process, and stop it before or after the n-th change that it makes on disk.

`python driver.py N MOMENT END EXCHANGE ARGUMENT...`

N         number of the change; 0 stops nothing, and writes the number of changes to standard error
MOMENT    `before` or `after` that change
END       SIGKILL, SIGINT or SIGTERM; or `error`, which makes the change itself fail
EXCHANGE  `exchange`, or `rename` for a system that cannot exchange two directories in one call

A change is a call that makes something visible: a rename, or the exchange of two directories.
"""

from __future__ import annotations

import errno
import os
import pathlib
import signal
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

COUNTED = ("rename", "replace")


class Fault(NamedTuple):
    """What goes wrong, and when."""

    number: int
    moment: str
    end: str

    def strike(self) -> None:
        if self.end == "SIGKILL":
            os.killpg(0, signal.SIGKILL)
        elif self.end == "error":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        else:
            os.kill(os.getpid(), signal.Signals[self.end])


def main() -> None:
    number, moment, end, exchange, *arguments = sys.argv[1:]
    fault = Fault(int(number), moment, end)
    calls = [0]

    def counted(call: Callable[..., object]) -> Callable[..., object]:
        def wrapper(*args: object, **kwargs: object) -> object:
            calls[0] += 1
            struck = calls[0] == fault.number
            if struck and fault.moment == "before":
                fault.strike()
            result = call(*args, **kwargs)
            if struck and fault.moment == "after":
                fault.strike()
            return result

        return wrapper

    accessor = getattr(pathlib, "_NormalAccessor", None)  # Python 3.10 calls the functions of `os` through it
    for name in COUNTED:
        setattr(os, name, counted(getattr(os, name)))
        if accessor is not None:
            setattr(accessor, name, staticmethod(getattr(os, name)))
    sys.argv = ["isolate", *arguments]
    from isolate.environment import staging
    from isolate.fast_path import main as isolate

    # The exchange is not a function of `os`, so it is wrapped separately.
    staging.exchange = counted(staging.exchange) if exchange == "exchange" else lambda new, old: False
    try:
        isolate()
    finally:
        if fault.number == 0:
            sys.stderr.write(f"changes: {calls[0]}\n")


if __name__ == "__main__":
    main()
