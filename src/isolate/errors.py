"""What can go wrong, in the user's words.

Every error that a user can act on is an `IsolateError`: it says what happened, shows the facts side by side, and ends
with what to do next. Only the door (`cli`) catches them. Anything else that reaches the door is a bug of ours.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class IsolateError(Exception):
    """The command cannot be done as asked, and nothing has been changed.

    `problem` is one sentence, `facts` are lines that belong under it, `hint` says what to do next.
    """

    exit_code = 2

    def __init__(self, problem: str, *, facts: tuple[str, ...] = (), hint: str | None = None) -> None:
        super().__init__(problem)  # its only argument, so that the error can pass from one process to another
        self.problem, self.facts, self.hint = problem, facts, hint

    def __str__(self) -> str:
        """Return the whole message: the problem, the indented facts, the hint."""
        lines = [self.problem, *(f"  {fact}" for fact in self.facts)]
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)


def describe_os_error(error: OSError) -> str:
    """Return what a failure of the system means, and what to do next."""
    where = f" ({error.filename})" if error.filename else ""
    hints = {
        errno.ENOSPC: "make room on that disk, then run the command again",
        errno.EDQUOT: "make room within your quota, then run the command again",
        errno.EROFS: "it is read-only: work where you may write",
        errno.EACCES: "make it writable, then run the command again",
        errno.EPERM: "make it writable, then run the command again",
        errno.EMFILE: "raise the limit of open files (ulimit -n)",
    }
    hint = hints.get(error.errno or 0, "mend that, then run the command again")
    return str(IsolateError(f"{error.strerror or error}{where}; the environment was not changed", hint=hint))


class DeclarationError(IsolateError):
    """A declaration cannot be read as it stands. `line` counts from 1; None where the format has no lines."""

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

    def __str__(self) -> str:
        """Return the message with the place in front of it, as compilers print it."""
        place = "" if self.file is None else f"{self.file}:{self.line}: " if self.line else f"{self.file}: "
        return place + super().__str__()


class NoDeclarations(IsolateError):
    """The directory *root* is no application."""

    def __init__(
        self, problem: str, *, facts: tuple[str, ...] = (), hint: str | None = None, root: Path | None = None
    ) -> None:
        super().__init__(problem, facts=facts, hint=hint)
        self.root = root


class NoInterpreter(IsolateError):
    """No Python on this machine fits what the application asks for."""


class ProgramNotStarted(IsolateError):
    """A program is not there, or cannot be started."""


class PipFailed(IsolateError):
    """pip could not do what was asked; `output` is everything that it said, with credentials taken out."""

    def __init__(self, problem: str, *, facts: tuple[str, ...] = (), hint: str | None = None, output: str = "") -> None:
        super().__init__(problem, facts=facts, hint=hint)
        self.output = output


class StaleLock(IsolateError):
    """The lock does not meet the declarations, and the command may not change it."""


class NotManaged(IsolateError):
    """Something stands where isolate would write, and isolate did not make it."""


class InvalidDistribution(IsolateError):
    """A distribution that pip installed cannot be taken into the store."""


def file_conflict(path: str, name: str, other: str, *, facts: tuple[str, ...] = ()) -> InvalidDistribution:
    """Return what to raise where the distributions *name* and *other* claim the file *path*."""
    return InvalidDistribution(
        f"{name} and {other} both claim {path}",
        facts=facts,
        hint="one environment cannot hold both: pin one of them out, or versions that do not collide",
    )
