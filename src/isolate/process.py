"""The one door to other programs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from isolate.errors import IsolateError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import IO

SILENCE = 10.0
"""Seconds after which a program that says nothing is worth a word."""

GRACE = 2.0
"""Seconds that a program has to end after it was asked to."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A program that has ended: `status` (negative: a signal), `output` and `errors` its streams."""

    argv: tuple[str, ...]
    status: int
    output: str
    errors: str


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    on_line: Callable[[str], None] | None = None,
    on_silence: Callable[[float], None] | None = None,
) -> Finished:
    """Run a program to its end, in a process group of its own, with nothing to read.

    *on_line* hears each line of either stream as it comes, *on_silence* now and then how many seconds none has come.
    Whatever interrupts the waiting ends the program and all that it started, and is passed on. Raises `IsolateError` if
    the program cannot be started; a program that fails is no error here.
    """
    try:
        child = subprocess.Popen(
            [*argv],
            env={**env},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise IsolateError(f"{argv[0]} cannot be started: {error.strerror}") from None
    heard = _Heard(on_line)
    readers = [heard.follow(child.stdout), heard.follow(child.stderr)]
    try:
        _wait(child, heard, on_silence)
        for reader in readers:
            reader.join()
    except BaseException:
        _end(child)
        raise
    return Finished(argv=tuple(argv), status=child.returncode, output=heard.text(0), errors=heard.text(1))


class _Heard:
    """The lines of some streams, as they come."""

    def __init__(self, on_line: Callable[[str], None] | None) -> None:
        self._on_line = on_line
        self._lines: list[list[str]] = []
        self.last = time.monotonic()

    def follow(self, stream: IO[str] | None) -> threading.Thread:
        lines: list[str] = []
        self._lines.append(lines)
        thread = threading.Thread(target=self._read, args=(stream, lines), daemon=True)
        thread.start()
        return thread

    def _read(self, stream: IO[str], lines: list[str]) -> None:
        with contextlib.suppress(ValueError), stream:
            for line in stream:
                lines.append(line)
                self.last = time.monotonic()
                if self._on_line is not None:
                    self._on_line(line.rstrip("\n"))

    def text(self, number: int) -> str:
        return "".join(self._lines[number])


def _wait(child: subprocess.Popen[str], heard: _Heard, on_silence: Callable[[float], None] | None) -> None:
    told = 1
    while True:
        try:
            child.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            silent = time.monotonic() - heard.last
            told = told if silent >= SILENCE else 1
            if on_silence is not None and silent >= SILENCE * told:
                told += 1
                on_silence(silent)
        else:
            return


def _end(child: subprocess.Popen[str]) -> None:
    """End *child* and every process of its group: asked first, then made to."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, kind)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=GRACE)
    child.wait()


def become(argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Replace this process by *argv*, found on the `PATH` of *env*; raise `IsolateError` if it cannot be started."""
    try:
        os.execvpe(argv[0], [*argv], {**env})
    except FileNotFoundError:
        raise IsolateError(
            f"{argv[0]} is neither in the environment nor on PATH", hint="declare what brings it, or check the spelling"
        ) from None
    except OSError as error:
        raise IsolateError(f"{argv[0]} cannot be started: {error.strerror}") from None
