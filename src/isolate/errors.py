"""Errors that the user can act on.

Each says what failed, lists the facts, and ends with what to do next. Only `cli` catches them all. Any other exception
that reaches it is an internal error.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pathlib import Path


class IsolateError(Exception):
    """The command could not do what was asked.

    `problem` is one sentence, `facts` are lines that belong to it, `hint` says what to do next. Of the class, `code`
    identifies the kind of error in JSON, and `remedy` is the general advice in the documentation.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 2
    remedy: ClassVar[str] = "Follow the hint of the message."

    def __init__(self, problem: str, *, facts: tuple[str, ...] = (), hint: str | None = None) -> None:
        super().__init__(problem)  # the only argument, so that the error can be pickled for another process
        self.problem, self.facts, self.hint = problem, facts, hint

    @property
    def message(self) -> str:
        """Return the first line: the problem, after its file and line if it has one."""
        return self.problem

    def __str__(self) -> str:
        """Return the whole text: the message, the indented facts, the hint."""
        lines = [self.message, *(f"  {fact}" for fact in self.facts)]
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)


class UsageError(IsolateError):
    """The command line is not valid."""

    code = "usage"
    remedy = "Correct the command line; `--help` after a command lists its options."


class SystemFailure(IsolateError):
    """The operating system refused an operation on a file, or another resource."""

    code = "system"
    remedy = "Fix what the message names (disk space, permissions, limits), then run the command again."


class InternalError(IsolateError):
    """isolate itself is at fault."""

    code = "internal-error"
    exit_code = 3
    remedy = "Attach the file that the message names to a bug report."


class Interrupted(IsolateError):
    """The user interrupted the command (Ctrl-C)."""

    code = "interrupted"
    exit_code = 130
    remedy = "Run the command again."


class OutputNotWritten(IsolateError):
    """The command finished, but its result could not be written to standard output."""

    code = "output-not-written"
    remedy = "Check the file or device that standard output is redirected to."


class DeclarationError(IsolateError):
    """A declaration or a lock is not valid. `line` counts from 1, and is None for a format without lines."""

    code = "invalid-declaration"
    remedy = "Correct the file at the line that the message names."

    def __init__(
        self,
        problem: str,
        *,
        facts: tuple[str, ...] = (),
        hint: str | None = None,
        file: Path | None = None,
        line: int | None = None,
    ) -> None:
        super().__init__(problem, facts=facts, hint=hint)
        self.file, self.line = file, line

    @property
    def message(self) -> str:
        """Return the problem after its file and line, in the form that compilers and editors use."""
        place = "" if self.file is None else f"{self.file}:{self.line}: " if self.line else f"{self.file}: "
        return place + self.problem


class NoDeclarations(IsolateError):
    """The directory `root` is not an application: no file in it declares requirements."""

    code = "no-declarations"
    remedy = "Change to an application's directory, or create a file that declares its requirements."

    def __init__(
        self, problem: str, *, facts: tuple[str, ...] = (), hint: str | None = None, root: Path | None = None
    ) -> None:
        super().__init__(problem, facts=facts, hint=hint)
        self.root = root


class NoInterpreter(IsolateError):
    """No Python on this machine satisfies the request or `requires-python`."""

    code = "no-interpreter"
    remedy = "Install such a Python, or change the request."


class ProgramNotStarted(IsolateError):
    """A program does not exist or cannot be started."""

    code = "program-not-started"
    remedy = "Check that the program exists and is executable."


class PipFailed(IsolateError):
    """pip failed. `output` is everything that it wrote, without credentials."""

    code = "pip-failed"
    remedy = "Fix the cause that the message names; `-vv` shows the output of pip."

    def __init__(self, problem: str, *, facts: tuple[str, ...] = (), hint: str | None = None, output: str = "") -> None:
        super().__init__(problem, facts=facts, hint=hint)
        self.output = output


class StaleLock(IsolateError):
    """The lock is missing or does not match the declarations, and the command may not change it."""

    code = "stale-lock"
    remedy = "Run `isolate lock`, or leave out `--locked`."


class NotManaged(IsolateError):
    """A file or an environment that isolate did not create is where isolate would write."""

    code = "not-managed"
    remedy = "Move it away; `isolate sync --adopt` takes over a virtual environment."


class InvalidDistribution(IsolateError):
    """The artifact of a distribution is not valid, or its files conflict with those of another distribution."""

    code = "invalid-distribution"
    remedy = "Pin a different version, and report the fault to the maintainers of the package."


def system_failure(error: OSError) -> SystemFailure:
    """Return the error that explains *error* to the user, with what to do next."""
    where = f" ({error.filename})" if error.filename else ""
    hint = SYSTEM_HINTS.get(error.errno or 0, "fix this, then run the command again")
    return SystemFailure(f"{error.strerror or error}{where}", hint=hint)


SYSTEM_HINTS = {
    errno.ENOSPC: "free some disk space, then run the command again",
    errno.EDQUOT: "free some space within your disk quota, then run the command again",
    errno.EROFS: "the file system is read-only: use a directory on a writable one",
    errno.EACCES: "give yourself write permission, then run the command again",
    errno.EPERM: "give yourself write permission, then run the command again",
    errno.EMFILE: "raise the limit of open files (ulimit -n), then run the command again",
}


def file_conflict(path: str, name: str, other: str, *, facts: tuple[str, ...] = ()) -> InvalidDistribution:
    """Return the error for two distributions, *name* and *other*, that both install the file *path*."""
    return InvalidDistribution(
        f"{name} and {other} both install {path}",
        facts=facts,
        hint="remove one of the two, or pin versions that do not share files",
    )
