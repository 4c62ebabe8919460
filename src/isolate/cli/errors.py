"""Every way in which a run can end, as an exit code and a message.

Exit codes: 0 done, 1 the answer is no, 2 cannot be done as asked, 3 a bug of ours (with a log file), 130 interrupted.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from isolate.errors import IsolateError, NoDeclarations, describe_os_error
from isolate.outcome import Outcome
from isolate.output import write_stderr

if TYPE_CHECKING:
    from collections.abc import Callable


def run_and_exit(work: Callable[[], int | None]) -> NoReturn:
    """Do *work* and exit with the code that it returns, or else with that of what came in between, told in words."""
    _install_signal_handlers()
    try:
        code = work()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done and said: what strikes now is too late to undo it
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - whatever it is, it is told in words
        message, code = describe_error(error)
        write_stderr(message)
    sys.exit(code)


def _install_signal_handlers() -> None:
    """Let the signals that ask for an end unwind, so that what was started is ended too, and nothing is left."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, lambda received, _: sys.exit(128 + received))


def error_outcome(error: BaseException) -> Outcome:
    """Return the failure of one of many applications as an outcome like any other."""
    message, code = describe_error(error)
    return Outcome(command="", exit_code=code, facts={"error": message}, lines=(message,))


def describe_error(error: BaseException) -> tuple[str, int]:
    """Return what to say about *error*, and the exit code. What nobody expected is written into a file first.

    Credentials are taken out here, where every error passes: whoever raises one may quote a declaration as it stands.
    """
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", 130
    from isolate.pip.redaction import redact

    if isinstance(error, NoDeclarations) and error.root is not None:
        from isolate.application_discovery import has_applications_below

        error.hint = (
            "`isolate sync --all` is for all applications below it"
            if has_applications_below(error.root)
            else error.hint
        )
    if isinstance(error, IsolateError):
        return redact(f"isolate: {error}"), error.exit_code
    if isinstance(error, OSError):
        return redact(f"isolate: {describe_os_error(error)}"), 2
    from isolate.crash_report import write_report

    said = redact(f"{type(error).__name__}: {error}")
    return f"isolate: this is a bug ({said}); it is described in {write_report(error)}", 3
