"""The interpreters of this machine, and imitations of interpreters, for the tests of this directory."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from isolate.interpreters.discovery import InterpreterFinder
from isolate.interpreters.interpreter import Interpreter

BASE = str(Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}"))
VERSION = ".".join(map(str, sys.version_info[:3]))
MINOR_VERSION = ".".join(map(str, sys.version_info[:2]))


def supported_pythons():
    """Return one CPython of this machine for each minor version that isolate supports."""
    pythons = {}
    for python in InterpreterFinder(cache=None, environ=os.environ).discover_all():
        if python.implementation == "cpython" and tuple(map(int, python.minor_version.split("."))) >= (3, 8):
            pythons.setdefault(python.minor_version, python)
    return [pythons[minor_version] for minor_version in sorted(pythons)]


def finder_with_python3(tmp_path):
    """Return a finder with an empty cache, whose `PATH` leads to nothing but a `python3`: the Python of these tests."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").symlink_to(BASE)
    environ = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}
    return InterpreterFinder(cache=tmp_path / "interpreters", environ=environ)


def with_path(finder, *directories):
    """Return *finder* with a different `PATH`."""
    path = os.pathsep.join(map(str, directories))
    return finder._replace(environ={**finder.environ, "PATH": path})


def imaginary(version, implementation="cpython", platform="linux-x86_64", *, free_threaded=False, **markers):
    """Return an interpreter that does not exist."""
    return Interpreter(
        executable=f"/opt/{implementation}{version}/bin/python",
        version=version,
        implementation=implementation,
        platform=platform,
        free_threaded=free_threaded,
        markers=markers,
        fingerprint="imaginary",
    )


def write_script(path, text):
    """Write a shell script with this *text* to *path*, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path
