"""The umask: isolate sets its own, and gives that of the user to the programs that it starts.

What one application puts into the store ends up in the environments of others, so the umask of one command must not
decide who may read or change the files of another.
"""

from __future__ import annotations

import functools
import os

OWN = 0o022
"""Others may read what isolate creates, and write to nothing. What is private gets its mode when it is created."""


@functools.cache
def user_umask() -> int:
    """Return the umask that the user has set. The first call replaces it by isolate's own for this process."""
    return os.umask(OWN)
