"""The C library that an interpreter is linked against: what was compiled for one does not run with another.

`packaging` knows that of the Python that runs it. That of another interpreter is told by its dynamic loader, as
`packaging` does for musl: glibc and musl may exist side by side on one machine.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from isolate.errors import IsolateError

if TYPE_CHECKING:
    from collections.abc import Sequence

GLIBC_CODE = "import os, sys; sys.stdout.write(os.confstr('CS_GNU_LIBC_VERSION') or '')"

LEGACY_MANYLINUX = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
"""Older names of platforms, by the version of the glibc that they need (PEP 600)."""


def libc_of(executable: str) -> str:
    """Return the C library of the binary *executable*: `glibc_2_36` or `musl_1_2`.

    It is `static` for a binary without a dynamic loader, and empty for one that is not an ELF file.
    """
    loader = _loader(executable)
    if not loader:
        return "static" if loader is not None else ""
    if "musl" in loader:
        return _musl(loader)
    return _glibc(os.confstr("CS_GNU_LIBC_VERSION") if loader == _own_loader() else _asked(executable))


def platforms_for(libc: str | None, own: Sequence[str]) -> list[str]:
    """Return the platform tags, best first, of an interpreter with *libc*; *own* are those of isolate's own Python."""
    match = re.fullmatch(r"(glibc|musl)_(\d+)_(\d+)", libc or "")
    if match is None:
        return list(own)
    family, major, minor = "manylinux" if match[1] == "glibc" else "musllinux", int(match[2]), int(match[3])
    if next((tag for tag in own if tag.startswith(family)), "").startswith(f"{family}_{major}_{minor}_"):
        return list(own)
    architectures = [tag.removeprefix("linux_") for tag in own if tag.startswith("linux_")]
    compatible = [
        f"{name}_{architecture}"
        for architecture in architectures
        for number in range(minor, -1, -1)
        for name in _names(family, major, number)
    ]
    return [*(f"linux_{architecture}" for architecture in architectures), *compatible]


def _names(family: str, major: int, minor: int) -> list[str]:
    names = [f"{family}_{major}_{minor}"]
    if family == "manylinux" and (major, minor) in LEGACY_MANYLINUX:
        names.append(LEGACY_MANYLINUX[major, minor])
    return names


def _loader(executable: str) -> str | None:
    """Return the dynamic loader of *executable*, empty if it has none; None if it is not an ELF file."""
    from packaging._elffile import ELFFile

    try:
        with open(executable, "rb") as file:
            return ELFFile(file).interpreter or ""
    except (OSError, ValueError, TypeError):
        return None


def _own_loader() -> str | None:
    return _loader("/proc/self/exe")


def _asked(executable: str) -> str | None:
    """Return what the interpreter *executable* says about its glibc."""
    return _output([executable, "-I", "-S", "-c", GLIBC_CODE])


def _glibc(text: str | None) -> str:
    match = re.match(r"glibc (\d+)\.(\d+)", text or "")
    return f"glibc_{match[1]}_{match[2]}" if match else "glibc"


def _musl(loader: str) -> str:
    match = re.search(r"^Version (\d+)\.(\d+)", _output([loader]), re.MULTILINE)
    return f"musl_{match[1]}_{match[2]}" if match else "musl"


def _output(argv: list[str]) -> str:
    """Return what *argv* prints; musl's loader prints its version to standard error, with exit code 1."""
    from isolate import process  # the answer about a known interpreter is recorded

    try:
        finished = process.run(argv, env={}, cwd=Path("/"))
    except IsolateError:
        return ""
    return finished.output + finished.errors
