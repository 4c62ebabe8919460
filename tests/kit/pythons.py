"""The other interpreters of this machine, found before a test has a home of its own."""

from __future__ import annotations

import os
import sys

from isolate.interpreters.discovery import InterpreterFinder


def minor(python):
    """Return the minor version of an interpreter as numbers."""
    return tuple(map(int, python.version.split(".")[:2]))


OTHER_PYTHONS = [
    python
    for python in InterpreterFinder(cache=None, environ=os.environ).discover_all()
    if minor(python) != sys.version_info[:2] and minor(python) >= (3, 10)
]
"""Those with another minor version than the one that runs the tests, 3.10 or later."""
