"""Is there anything to do? By far the most frequent answer is no, and it must cost little more than starting Python.

So nothing is imported here that this answer does not need; everything else is behind `cli`.
"""

from __future__ import annotations

import os
import sys

from isolate.environment.stamp import answer_if_current

QUIET = ("-q", "--quiet")


def main() -> None:
    """Do what is asked; an interrupt is never a traceback, however early it comes."""
    try:
        _main()
    except KeyboardInterrupt:  # before `cli` is there to say it
        sys.stderr.write("\ninterrupted\n")
        sys.exit(130)


def _main() -> None:
    """Answer `isolate sync` and `isolate sync -q` if nothing is to be done; the command line does all else."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["sync"] and all(one in QUIET for one in arguments[1:]):
        try:
            answer = answer_if_current(f"{os.getcwd()}/.venv")
            if answer is not None:
                if len(arguments) == 1:
                    sys.stdout.write(f"{answer}\n")
                    sys.stdout.flush()
                return
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(141)
        except (OSError, AttributeError):  # no directory, no output: the command line says it in words
            pass
    from isolate.cli.door import main as command_line  # noqa: PLC0415

    command_line()
