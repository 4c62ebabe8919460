"""The end of every run: any exception becomes a message and an exit code.

Exit codes: 0 success, 1 a check failed, 2 error, 3 internal error (with a log file), 130 interrupted.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from typing import TYPE_CHECKING

from isolate.cli.invocation import Options
from isolate.errors import (
    InternalError,
    Interrupted,
    IsolateError,
    NoDeclarations,
    SystemFailure,
    UnusableDirectory,
    UsageError,
)
from isolate.outcome import Outcome, as_json
from isolate.output import printable, write_stderr, write_stdout

if TYPE_CHECKING:
    from collections.abc import Iterator


HINTS = {
    errno.ENOSPC: "free some disk space, then run the command again",
    errno.EDQUOT: "free some space within your disk quota, then run the command again",
    errno.EROFS: "the file system is read-only: use a directory on a writable one",
    errno.EACCES: "give yourself write permission, then run the command again",
    errno.EPERM: "give yourself write permission, then run the command again",
    errno.EAGAIN: "raise the limit of processes (ulimit -u), then run the command again",
    errno.EFBIG: "raise the limit of file sizes (ulimit -f), then run the command again",
    errno.ENAMETOOLONG: "use a shorter name, or a directory with a shorter path",
    errno.ENOMEM: "free some memory, then run the command again",
    errno.EMFILE: "raise the limit of open files (ulimit -n), then run the command again",
}
"""What to do next, by error number."""


@contextlib.contextmanager
def reporting_errors() -> Iterator[Options]:
    """Yield options for the block to fill in. Print a message for any exception, and exit with the matching code."""
    _install_signal_handlers()
    options = Options()
    try:
        yield options
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the work is done and printed: an interrupt comes too late
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last handler: every exception ends here
        sys.exit(_report(error, options))


def _install_signal_handlers() -> None:
    """Make SIGTERM and SIGHUP raise SystemExit, so that child processes end and temporary files are removed."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, lambda received, _: sys.exit(128 + received))


def _report(error: BaseException, options: Options) -> int:
    """Print *error* as the options ask for, and return its exit code."""
    if isinstance(error, KeyboardInterrupt):
        write_stderr("")  # ends the line in which the terminal shows ^C
    outcome = error_outcome(error)._replace(command=options.command)
    write_stderr("\n".join(outcome.lines))
    if options.json and outcome.exit_code != Interrupted.exit_code:
        try:
            write_stdout(as_json(outcome))
        except IsolateError as failure:
            write_stderr(f"error: {failure}")
    return outcome.exit_code


def error_outcome(error: BaseException) -> Outcome:
    """Return the failure of a command as an outcome like any other."""
    from isolate.redaction import redact

    failure = as_isolate_error(error)
    # Credentials are removed here, where every error passes: one may quote a declaration as it is written.
    facts = {
        "code": failure.code,
        "message": redact(failure.message),
        "facts": [redact(fact) for fact in failure.facts],
        "hint": failure.hint and redact(failure.hint),
    }
    text = _text(failure) if isinstance(failure, Interrupted) else f"error: {_text(failure)}"
    return Outcome(command="", exit_code=failure.exit_code, facts={"error": facts}, lines=(redact(text),))


def _text(failure: IsolateError) -> str:
    """Return the whole text of *failure*; a line feed within one of its parts is shown as an escape."""
    facts = tuple(map(printable, failure.facts))
    return str(IsolateError(printable(failure.message), facts=facts, hint=failure.hint and printable(failure.hint)))


def as_isolate_error(error: BaseException) -> IsolateError:
    """Return *error* as an error for the user. Write a crash report first if nothing has foreseen it."""
    if isinstance(error, NoDeclarations) and error.root is not None:
        from isolate.application_discovery import has_applications_below

        if has_applications_below(error.root):
            error.hint = "run `isolate sync --all` to sync all applications below this directory"
    if isinstance(error, IsolateError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Interrupted("interrupted")
    if isinstance(error, FileNotFoundError) and not error.filename and not _has_current_directory():
        return UnusableDirectory(
            "the current directory does not exist any more", hint="change to an existing directory"
        )
    if isinstance(error, OSError):
        return _system_failure(error)
    if isinstance(error, (MemoryError, RecursionError)):
        return _no_room(error)
    return _click_error(error) or _internal_error(error)


def _has_current_directory() -> bool:
    try:
        return bool(os.getcwd())
    except OSError:
        return False


def _system_failure(error: OSError) -> SystemFailure:
    """Return the error that explains *error* to the user, with what to do next."""
    where = f" ({error.filename})" if error.filename else ""
    hint = HINTS.get(error.errno or 0, "fix this, then run the command again")
    return SystemFailure(f"{error.strerror or error}{where}", hint=hint)


def _no_room(error: MemoryError | RecursionError) -> SystemFailure:
    if isinstance(error, MemoryError):
        return SystemFailure("out of memory", hint="raise the limit (ulimit -v), or free some memory")
    return SystemFailure(
        "a directory or a file is nested too deeply",
        hint="look for very deep directories in the application and its .venv, and delete them",
    )


def _click_error(error: BaseException) -> IsolateError | None:
    """Return *error* as an `IsolateError` if click raised it, else None."""
    click = sys.modules.get("click")  # a plain sync does not import it
    if click is None:
        return None
    if isinstance(error, click.Abort):  # click raises this for an interrupt, and for the end of a file
        return _internal_error(error.__cause__) if isinstance(error.__cause__, EOFError) else Interrupted("interrupted")
    if not isinstance(error, click.ClickException):
        return None
    message = str(error.format_message()).removesuffix(".")
    context = getattr(error, "ctx", None)
    command = "isolate" if context is None else context.command_path
    return UsageError(message[:1].lower() + message[1:], hint=f"run `{command} --help` for usage")


def _internal_error(error: BaseException) -> InternalError:
    from isolate.crash_report import write_report

    return InternalError(
        f"internal error: {type(error).__name__}: {error}. "
        f"Details were written to {write_report(error)}; please attach that file to a bug report"
    )
