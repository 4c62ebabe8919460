"""The one door to other programs."""

from __future__ import annotations

import contextlib
import os
import select
import selectors
import signal
import subprocess
import time
from typing import IO, TYPE_CHECKING, NamedTuple, NoReturn

from isolate.errors import IsolateError, ProgramNotStarted
from isolate.signals import parent_death_signal, signals_blocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

IDLE_INTERVAL = 5.0
"""Seconds after which a program that says nothing is worth a word, and then another."""

TERMINATE_TIMEOUT = 2.0
"""Seconds that a program has to end after it was asked to."""

LOOK = 0.5
"""Seconds between two looks at whether a program that says nothing is still there."""


class Finished(NamedTuple):
    """A program that has ended: `status` (negative: a signal), `output` and `errors` its streams."""

    status: int
    output: str
    errors: str


def run(  # noqa: PLR0913 - each has a name, and most of them their default
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    on_line: Callable[[str], None] | None = None,
    on_idle: Callable[[float], None] | None = None,
    stdin_text: str = "",
) -> Finished:
    """Run a program to its end, in a process group of its own, with nothing to read but what it is *told*.

    *on_line* hears each line of either stream as it comes, *on_silence* now and then for how many seconds none has
    come; both are called in the thread of the caller. Whatever interrupts the waiting, an exception of theirs too, ends
    the program and all that it started, and is passed on. Raises `ProgramNotStarted` if the program cannot be started;
    a program that fails is no error here.
    """
    words = tuple(map(str, argv))
    child = None
    try:
        with _to_be_read(stdin_text) as stdin, _ready_to_fork() as at_first:
            child = _start(words, env, cwd, stdin, at_first)
        output, errors = _listen(child, on_line, on_idle)
        child.wait()
    except BaseException:
        if child is not None:
            _end(child)
        raise
    return Finished(status=child.returncode, output=output, errors=errors)


def exec_program(argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Replace this process by *argv*, found on the `PATH` of *env*; raise `IsolateError` if it cannot be started."""
    ours = signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and what is ignored stays so
    try:
        os.execvpe(argv[0], [*argv], {**env})
    except FileNotFoundError:
        raise not_found(argv[0]) from None
    except OSError as error:
        raise IsolateError(f"{argv[0]} cannot be started: {error.strerror}", hint=START_HINT) from None
    finally:
        signal.signal(signal.SIGPIPE, ours)


def not_found(name: str) -> IsolateError:
    """Return the error that there is no program of this name."""
    return IsolateError(
        f"{name} is neither in the environment nor on PATH", hint="declare what brings it, or check the spelling"
    )


START_HINT = "check that it is there, and that it may be executed"


def _start(
    words: tuple[str, ...],
    env: Mapping[str, str],
    cwd: Path,
    stdin: IO[bytes] | int,
    at_first: Callable[[], None] | None,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            words,
            env={**env},
            cwd=cwd,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            preexec_fn=at_first,  # noqa: PLW1509 - see `_ready_to_fork`
        )
    except OSError as error:
        where = f" in {cwd}" if str(error.filename) == str(cwd) else ""
        raise ProgramNotStarted(f"{words[0]} cannot be started{where}: {error.strerror}", hint=START_HINT) from None


@contextlib.contextmanager
def _to_be_read(text: str) -> Iterator[IO[bytes] | int]:
    """Open what a program is told: a file, if a pipe would have to be fed while the program is heard."""
    stdin_text = os.fsencode(text)
    if not stdin_text:
        yield subprocess.DEVNULL
    elif len(stdin_text) <= select.PIPE_BUF:  # what a pipe takes at once
        here, there = os.pipe()
        with open(here, "rb", buffering=0) as pipe:
            with open(there, "wb", buffering=0) as end:
                end.write(stdin_text)
            yield pipe
    else:
        import tempfile

        with tempfile.TemporaryFile() as file:
            file.write(stdin_text)
            file.seek(0)
            yield file


@contextlib.contextmanager
def _ready_to_fork() -> Iterator[Callable[[], None] | None]:
    """Yield what a child does between fork and exec, for as long as signals are held back; None if it may do nothing.

    Then they are not held back, for the program would never have them again; nor does Python run code of its own then.
    """
    if (die_with_us := parent_death_signal()) is None:
        yield None
        return
    with signals_blocked() as unblock:

        def at_first() -> None:
            unblock()
            die_with_us()

        yield at_first


class _Stream:
    """What a stream has said: everything, and the beginning of a line that is not complete."""

    def __init__(self) -> None:
        self.said = bytearray()
        self.begun = b""

    def lines(self, chunk: bytes) -> Iterator[str]:
        """Take *chunk* in, and yield the lines that it completes; an empty one, the end, completes the last."""
        self.said += chunk
        *complete, self.begun = (self.begun + chunk).split(b"\n")
        if not chunk and self.begun:
            complete, self.begun = [self.begun], b""
        for line in complete:
            yield _text(line).rstrip("\r")


def _listen(
    child: subprocess.Popen[bytes], on_line: Callable[[str], None] | None, on_idle: Callable[[float], None] | None
) -> tuple[str, str]:
    """Return all that *child* says on its two streams, until it closes them or has ended."""
    streams = [(file, _Stream()) for file in (child.stdout, child.stderr) if file is not None]
    silence = _Silence(on_idle)
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        for file, stream in streams:
            selector.register(stack.enter_context(file), selectors.EVENT_READ, stream)
        while selector.get_map():
            ready = selector.select(LOOK)
            if not ready and child.poll() is not None and silence.seconds > TERMINATE_TIMEOUT:
                _signal(child, signal.SIGKILL)  # what it left behind in its group holds the streams open
                break
            for key, _ in ready:
                _hear(key, selector, on_line)
            if ready:
                silence.heard_something()
            else:
                silence.go_on()
    return _text(streams[0][1].said), _text(streams[1][1].said)


def _hear(key: selectors.SelectorKey, selector: selectors.BaseSelector, on_line: Callable[[str], None] | None) -> None:
    chunk = os.read(key.fd, 1 << 16)
    if not chunk:
        selector.unregister(key.fileobj)
    for line in key.data.lines(chunk):
        if on_line is not None:
            on_line(line)


class _Silence:
    """How long nothing has been heard, and who wants to know."""

    def __init__(self, tell: Callable[[float], None] | None) -> None:
        self._tell = tell
        self.heard_something()

    def heard_something(self) -> None:
        self._since = time.monotonic()
        self._told = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._since

    def go_on(self) -> None:
        if self._tell is not None and self.seconds >= IDLE_INTERVAL * (self._told + 1):
            self._told += 1
            self._tell(self.seconds)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End *child* and every process of its group: asked first, then made to, whatever happens in between."""
    try:
        _signal(child, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=TERMINATE_TIMEOUT)
    finally:
        _signal(child, signal.SIGKILL)
        child.wait()


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # all gone; gone but not buried, on macOS
        os.killpg(child.pid, number)


def _text(said: bytes | bytearray) -> str:
    return said.decode("utf-8", errors="replace").replace("\r\n", "\n")
