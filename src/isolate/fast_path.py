"""The entry point. It answers a plain `isolate sync` that has nothing to do, and hands everything else to `cli`.

That answer is by far the most frequent one, and must take little more time than the start of Python. So this module
imports nothing that the answer does not need.
"""

from __future__ import annotations

import gc
import os
import sys

from isolate.environment.stamp.read import up_to_date_message
from isolate.output import exit_on_broken_pipe, printable, write_stderr

QUIET_OPTIONS = ("-q", "--quiet")
ALL_OPTION = "--all"
EXIT_INTERRUPTED = 130
GC_THRESHOLD = 100_000
"""Allocations before Python searches for reference cycles. A run is short and leaves few cycles, and a search every 700
allocations, the default, takes a tenth of the time of a small sync."""


def main() -> None:
    """Run the command line, and exit with its code. An interrupt never prints a traceback, however early it comes."""
    gc.set_threshold(GC_THRESHOLD)
    try:
        command, *arguments = sys.argv[1:] or [""]
        is_plain = command == "sync" and all(argument in (*QUIET_OPTIONS, ALL_OPTION) for argument in arguments)
        if is_plain and ALL_OPTION not in arguments and _is_up_to_date(arguments):
            return
        from isolate.cli.errors import reporting_errors
        from isolate.umask import user_umask

        user_umask()  # from here on, isolate's own

        # The command runs inside this function, so that a traceback leads from here to its story in a few frames.
        with reporting_errors() as options:
            if is_plain:
                from isolate.cli.sync import sync_plain

                options.quiet = any(argument in QUIET_OPTIONS for argument in arguments)
                options.all_applications = ALL_OPTION in arguments
                code = sync_plain(options)
            else:
                from isolate.cli.main import isolate

                code = isolate.main(standalone_mode=False, obj=options)
        sys.exit(code)
    except KeyboardInterrupt:  # outside `reporting_errors`
        write_stderr("\ninterrupted")
        sys.exit(EXIT_INTERRUPTED)
    finally:
        gc.freeze()  # everything is discarded now; a last search for cycles would take another tenth


def _is_up_to_date(arguments: list[str]) -> bool:
    """Return whether the stamp shows that there is nothing to do; if so, print that."""
    try:
        message = up_to_date_message(f"{os.getcwd()}/.venv", _variable_line)
        if message is not None and not any(argument in QUIET_OPTIONS for argument in arguments):
            sys.stdout.write(f"{printable(message)}\n")
            sys.stdout.flush()
    except BrokenPipeError:
        exit_on_broken_pipe(sys.stdout)
    except (OSError, AttributeError):  # no current directory, or no standard output: `cli` reports it
        return False
    return message is not None


def _variable_line(name: str, venv: str) -> str:
    from isolate.environment.stamp.variables import variable_line

    return variable_line(name, venv)
