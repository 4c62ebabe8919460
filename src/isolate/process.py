"""The only module that starts other programs."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import subprocess
from typing import IO, TYPE_CHECKING, NamedTuple, NoReturn

from isolate.child_output import Listener, read_output
from isolate.errors import ProgramNotStarted
from isolate.signals import parent_death_signal, signals_blocked
from isolate.umask import user_umask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

TERMINATE_TIMEOUT = 2.0
"""Seconds that a program has to end after SIGTERM."""

START_HINT = "check that it exists and is executable"
LIMIT_HINT = "raise the limits of processes, open files and memory (ulimit -u, -n, -v), then run the command again"


class Finished(NamedTuple):
    """A program that has ended: its exit `status` (negative: minus the signal's number) and what it wrote."""

    status: int
    output: str
    errors: str


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    listener: Listener = Listener(),  # noqa: B008 - a NamedTuple, so nothing can change it
    stdin: str = "",
) -> Finished:
    """Run a program to its end, in a process group of its own, with *stdin* as its standard input.

    The functions of *listener* are called in the caller's thread. Any exception meanwhile, one of theirs or an
    interrupt, ends the program and everything that it started, and is passed on. Raises `ProgramNotStarted` if the
    program cannot be started; a program that fails raises nothing.
    """
    words = tuple(map(str, argv))
    child = None
    try:
        with _opened(stdin) as stdin_file, _preexec() as preexec_fn:
            child = _start(words, stdin_file, preexec_fn, env=env, cwd=cwd)
        output, errors = read_output(child, listener)
        child.wait()
    except BaseException:
        if child is not None:
            _terminate(child)
        raise
    return Finished(status=child.returncode, output=output, errors=errors)


def exec_program(argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Replace this process by *argv*, found on the `PATH` of *env*; raise `ProgramNotStarted` if that is impossible."""
    previous = signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and the program would inherit that
    os.umask(user_umask())
    try:
        os.execvpe(argv[0], [*argv], {**env})
    except FileNotFoundError:
        raise command_not_found(argv[0]) from None
    except OSError as error:
        raise ProgramNotStarted(f"{argv[0]} cannot be started: {error.strerror}", hint=START_HINT) from None
    finally:
        signal.signal(signal.SIGPIPE, previous)


def command_not_found(name: str) -> ProgramNotStarted:
    """Return the error for a command that neither the environment nor `PATH` has."""
    return ProgramNotStarted(
        f"command not found: {name} (looked in .venv/bin and PATH)",
        hint="add the package that provides it, or check the spelling",
    )


def _start(
    words: tuple[str, ...],
    stdin: IO[bytes] | int,
    preexec_fn: Callable[[], None] | None,
    *,
    env: Mapping[str, str],
    cwd: Path,
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
            umask=user_umask(),
            preexec_fn=preexec_fn,  # noqa: PLW1509 - safe as `_preexec` explains
        )
    except OSError as error:
        where = f" in {cwd}" if str(error.filename) == str(cwd) else ""
        hint = LIMIT_HINT if error.errno in (errno.EAGAIN, errno.ENOMEM, errno.EMFILE) else START_HINT
        raise ProgramNotStarted(f"{words[0]} cannot be started{where}: {error.strerror}", hint=hint) from None


@contextlib.contextmanager
def _opened(stdin: str) -> Iterator[IO[bytes] | int]:
    """Open *stdin* for a program to read. A long text needs a file: a pipe would have to be fed while we listen."""
    content = os.fsencode(stdin)
    if not content:
        yield subprocess.DEVNULL
    elif len(content) <= select.PIPE_BUF:  # a pipe takes this much without a reader
        reader, writer = os.pipe()
        with open(reader, "rb", buffering=0) as pipe:
            with open(writer, "wb", buffering=0) as end:
                end.write(content)
            yield pipe
    else:
        import tempfile

        with tempfile.TemporaryFile() as file:
            file.write(content)
            file.seek(0)
            yield file


@contextlib.contextmanager
def _preexec() -> Iterator[Callable[[], None] | None]:
    """Yield the `preexec_fn`, or None if it is unsafe to run one (several threads).

    Without it signals are not blocked, because the child would inherit the blocked mask across exec.
    """
    if (set_death_signal := parent_death_signal()) is None:
        yield None
        return
    with signals_blocked() as unblock:

        def preexec() -> None:
            unblock()
            set_death_signal()

        yield preexec


def _terminate(child: subprocess.Popen[bytes]) -> None:
    """End *child* and its process group: SIGTERM first, SIGKILL after `TERMINATE_TIMEOUT` or on an interrupt."""
    try:
        _signal(child, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=TERMINATE_TIMEOUT)
    finally:
        _signal(child, signal.SIGKILL)
        child.wait()


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # all ended; on macOS ended but not yet reaped
        os.killpg(child.pid, number)
