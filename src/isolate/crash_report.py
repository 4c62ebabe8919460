"""What is written down when isolate fails in a way that it should not: everything that a report needs, no secrets."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback

from isolate import __version__
from isolate.pip.redaction import redact


def write_report(error: BaseException) -> str:
    """Write versions, the command line and the traceback of *error* into a new file, and return its path."""
    lines = [
        f"isolate {__version__}, Python {platform.python_version()} on {platform.platform()}",
        f"command: {redact(' '.join(sys.argv))}",
        "",
        redact("".join(traceback.format_exception(error))),
    ]
    handle, path = tempfile.mkstemp(prefix="isolate-bug-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    return path
