"""Is there anything to do? By far the most frequent answer is no, and it must cost little more than starting Python.

So nothing is imported here that this answer does not need; everything else is behind `cli`.
"""

from __future__ import annotations

import gc
import os
import sys

from isolate.environment.stamp.read import up_to_date_message
from isolate.output import exit_on_broken_pipe, write_stderr

QUIET = ("-q", "--quiet")
ALL_OPTION = "--all"
GC_THRESHOLD = 100_000
"""New objects after which Python looks for circles among them. A run ends soon, and makes no garbage of that kind; to
look after every 700, as is usual, takes a tenth of the time of a small sync."""


def main() -> None:
    """Do what is asked; an interrupt is never a traceback, however early it comes."""
    gc.set_threshold(GC_THRESHOLD)
    try:
        _main()
    except KeyboardInterrupt:  # before `cli` is there to say it
        write_stderr("\ninterrupted")
        sys.exit(130)
    finally:
        gc.freeze()  # all vanishes now: to look for circles among it takes another tenth


def _main() -> None:
    """Answer `isolate sync`, with or without `-q` and `--all`, here; leave everything else to the command line."""
    command, *options = sys.argv[1:] or [""]
    if command != "sync" or not all(one in (*QUIET, ALL_OPTION) for one in options):
        from isolate.cli.main import main as command_line

        command_line()
    all_applications = ALL_OPTION in options
    quiet = any(one in QUIET for one in options)
    if all_applications or not _answered(quiet=quiet):
        from isolate.cli.sync import sync_without_click

        sync_without_click(quiet=quiet, all_applications=all_applications)


def _answered(*, quiet: bool) -> bool:
    """Say whether nothing was to be done here, and that has been said."""
    try:
        answer = up_to_date_message(f"{os.getcwd()}/.venv", _variable_line)
        if answer is not None and not quiet:
            sys.stdout.write(f"{answer}\n")
            sys.stdout.flush()
    except BrokenPipeError:
        exit_on_broken_pipe(sys.stdout)
    except (OSError, AttributeError):  # no directory, no output: who does the work says it in words
        return False
    return answer is not None


def _variable_line(name: str, venv: str) -> str:
    from isolate.environment.stamp.variables import variable_line

    return variable_line(name, venv)
