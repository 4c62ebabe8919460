"""Errors that the user can act on.

Each says what failed, lists the facts, and ends with what to do next. Only `cli` catches them all. Any other exception
that reaches it is an internal error.
"""

from __future__ import annotations

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
    """A declaration or a lock is not valid.

    `line` counts from 1, and is None for a format without lines.
    """

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
    """The directory is not an application: no file in it declares requirements."""

    code = "no-declarations"
    remedy = "Change to an application's directory, or create a file that declares its requirements."

    def __init__(
        self, problem: str, *, facts: tuple[str, ...] = (), hint: str | None = None, root: Path | None = None
    ) -> None:
        super().__init__(problem, facts=facts, hint=hint)
        self.root = root


class NoApplications(IsolateError):
    """There is no application in the directory or below it."""

    code = "no-applications"
    remedy = "Name a directory with applications."


class UnusableDirectory(IsolateError):
    """The directory does not exist, or no environment can work in it because of its name."""

    code = "unusable-directory"
    remedy = "Name an existing directory, or rename it."


class UnknownName(IsolateError):
    """The command line names an extra, a group or a package that the application does not have."""

    code = "unknown-name"
    remedy = "Check the spelling, or declare it."


class NoSuchSync(IsolateError):
    """The history of the application does not have the sync to go back to."""

    code = "no-such-sync"
    remedy = "Name one of the syncs that `isolate history` lists."


class NotInStore(IsolateError):
    """A package is not in the store, and `--offline` prevents fetching it."""

    code = "not-in-store"
    remedy = "Run the command without `--offline`."


class UnfinishedUpdate(IsolateError):
    """The system stopped an update of the environment halfway, and could not undo it."""

    code = "unfinished-update"
    remedy = "Fix what the message names, then run any command: it completes the update first."


class NoEnvironment(IsolateError):
    """The application has no environment, and the command may not create one."""

    code = "no-environment"
    remedy = "Run `isolate sync`."


class UnusableStore(IsolateError):
    """The store cannot be read or written, or another user could change it."""

    code = "unusable-store"
    remedy = "Set `ISOLATE_CACHE_DIR` to a directory of your own."


class InvalidConfiguration(IsolateError):
    """A configuration file of pip is not valid."""

    code = "invalid-configuration"
    remedy = "Correct the file that the message names."


class ConcurrentChange(IsolateError):
    """Another program changed the environment during the update."""

    code = "concurrent-change"
    remedy = "Run `isolate sync --verify` when that program has finished."


class NoInterpreter(IsolateError):
    """No Python on this machine satisfies the request or `requires-python`."""

    code = "no-interpreter"
    remedy = "Install such a Python, or change the request."


class ProgramNotStarted(IsolateError):
    """A program does not exist or cannot be started."""

    code = "program-not-started"
    remedy = "Check that the program exists and is executable."


class PipFailed(IsolateError):
    """pip failed.

    `output` is everything that it wrote, without credentials.
    """

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


def file_conflict(path: str, name: str, other: str, *, facts: tuple[str, ...] = ()) -> InvalidDistribution:
    """Return the error for two distributions, *name* and *other*, that both install the file *path*."""
    return InvalidDistribution(
        f"{name} and {other} both install {path}",
        facts=facts,
        hint="remove one of the two, or pin versions that do not share files",
    )
