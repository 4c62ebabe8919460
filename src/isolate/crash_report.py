"""The report of an internal error: a file with everything that a maintainer needs, without credentials."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback

from isolate import __version__
from isolate.output import printable_lines
from isolate.redaction import redact


def write_report(error: BaseException) -> str:
    """Write versions, the command line and the traceback of *error* to a new file, and return its path."""
    lines = [
        f"isolate {__version__}, Python {platform.python_version()} on {platform.platform()}",
        f"command: {redact(' '.join(sys.argv))}",
        "",
        redact("".join(traceback.format_exception(error))),
    ]
    descriptor, path = tempfile.mkstemp(prefix="isolate-crash-", suffix=".log")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(printable_lines("\n".join(lines)))
    return path
