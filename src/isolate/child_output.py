"""Reading what a child process writes, line by line, until it has ended."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

IDLE_INTERVAL = 5.0
"""Seconds without output after which `Listener.on_idle` is called, and then called again."""

POLL_INTERVAL = 0.5
"""Seconds between two checks whether a program without output is still running."""

DRAIN_TIMEOUT = 2.0
"""Seconds to wait for more output after the program has ended while its streams are still open."""

CHUNK_SIZE = 1 << 16


class Listener(NamedTuple):
    """Functions to call while a program runs.

    `on_line` gets each line of either stream as it comes, `on_idle` from time to time the seconds since the last one.
    """

    on_line: Callable[[str], None] | None = None
    on_idle: Callable[[float], None] | None = None


def read_output(child: subprocess.Popen[bytes], listener: Listener) -> tuple[str, str]:
    """Return all that *child* writes to its two streams, until it closes them or has ended."""
    streams = [(file, _Stream()) for file in (child.stdout, child.stderr) if file is not None]
    idle = _IdleTimer(listener.on_idle)
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        for file, stream in streams:
            selector.register(stack.enter_context(file), selectors.EVENT_READ, stream)
        while selector.get_map():
            ready = selector.select(POLL_INTERVAL)
            if not ready and child.poll() is not None and idle.seconds > DRAIN_TIMEOUT:
                _kill_group(child)  # a process that it left behind holds the streams open
                break
            for key, _ in ready:
                _read(key, selector, listener)
            if ready:
                idle.reset()
            else:
                idle.check()
    return _decode(streams[0][1].content), _decode(streams[1][1].content)


class _Stream:
    """What a stream has delivered, and the start of a line that is not complete."""

    def __init__(self) -> None:
        self.content = bytearray()
        self._partial = b""

    def feed(self, chunk: bytes) -> Iterator[str]:
        """Append *chunk*, and yield the lines that it completes; an empty one, at the end, completes the last line."""
        self.content += chunk
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        if not chunk and self._partial:
            lines, self._partial = [self._partial], b""
        for line in lines:
            yield _decode(line).rstrip("\r")


def _read(key: selectors.SelectorKey, selector: selectors.BaseSelector, listener: Listener) -> None:
    chunk = os.read(key.fd, CHUNK_SIZE)
    if not chunk:
        selector.unregister(key.fileobj)
    for line in key.data.feed(chunk):
        if listener.on_line is not None:
            listener.on_line(line)


class _IdleTimer:
    """Counts the seconds without output, and reports them every `IDLE_INTERVAL`."""

    def __init__(self, on_idle: Callable[[float], None] | None) -> None:
        self._on_idle = on_idle
        self.reset()

    def reset(self) -> None:
        self._since = time.monotonic()
        self._reports = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._since

    def check(self) -> None:
        if self._on_idle is not None and self.seconds >= IDLE_INTERVAL * (self._reports + 1):
            self._reports += 1
            self._on_idle(self.seconds)


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # all ended; on macOS ended but not yet reaped
        os.killpg(child.pid, signal.SIGKILL)


def _decode(content: bytes | bytearray) -> str:
    return content.decode("utf-8", errors="replace").replace("\r\n", "\n")
