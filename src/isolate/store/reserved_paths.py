"""The paths of an environment that no distribution may bring. Pure.

The files below them belong to isolate, to `venv`, or to the configuration of pip: a distribution that wrote one could
say what isolate records, which Python runs, or which index pip asks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

RESERVED = re.compile(
    r"""
    \.isolate (/.*)?                                   # what isolate records
    | pyvenv\.cfg | pip\.conf | \.gitignore            # read by Python, by pip and by git
    | bin/ (python|pypy) [0-9.]* [td]{0,2}             # the interpreter
    | bin/ activate (_this)? (\.[a-z0-9]+)?            # what `venv` and virtualenv write for each shell
    | bin | include | lib | lib64                      # as files
    """,
    re.VERBOSE | re.DOTALL,
)
"""A whole path, relative to the environment, in lower case: some file systems do not tell the cases apart."""

ORDINARY = "lib/"
"""How the paths of nearly all files begin, none of which is reserved."""


def first_reserved(paths: Iterable[str]) -> str | None:
    """Return the first of *paths* that is reserved; None if there is none.

    They are relative to the environment, and have neither `.`, `..` nor empty parts.
    """
    for path in paths:
        if not path.startswith(ORDINARY) and RESERVED.fullmatch(path.casefold()):
            return path
    return None


def foreign_metadata(paths: Iterable[str], own: str) -> str | None:
    """Return the first of *paths* in a `.dist-info` directory beside *own*, that of the distribution; None without one.

    Tools find a distribution by that directory. One that lay in another's would be taken for the other.
    """
    site = f"{own.rpartition('/')[0]}/"
    for path in paths:
        name, separator, _ = path.removeprefix(site).partition("/")
        if separator and path.startswith(site) and name.endswith(".dist-info") and name != own[len(site) :]:
            return path
    return None
