"""The system call that exchanges two directories."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def exchange(first: Path, second: Path) -> bool:
    """Exchange two directories in one step, and return whether the system could.

    `renameat2(2)` with RENAME_EXCHANGE on Linux, `renamex_np(2)` with RENAME_SWAP on macOS.
    """
    a, b = os.fsencode(first), os.fsencode(second)
    try:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            return bool(libc.renamex_np(a, b, 2) == 0)
        return bool(libc.renameat2(-100, a, -100, b, 2) == 0)
    except (AttributeError, ImportError):
        return False
