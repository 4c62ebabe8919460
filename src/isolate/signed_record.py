"""Records with a code: a record counts only if this user's isolate wrote it.

The first line of a record has the format, its version, the kind of the record and the code; the content follows. It is
a comment in the formats that have comments:

    # isolate-record 1 KIND CODE

The code is a message authentication code (keyed BLAKE2b, RFC 7693) over the kind, the path and the content. So a record
that another program wrote, that was edited or cut off, or that comes from another place has no valid code. Earlier
versions wrote records without this line. What has no valid code is *unverified*: isolate neither acts on it nor
believes it.

Every run of the command imports this module, so it imports almost nothing: `hashlib` alone takes a quarter of the time
of a sync with nothing to do.
"""

from __future__ import annotations

import os
import stat
from _operator import _compare_digest as compare_digest

from isolate.user_key import ensure_key, read_key

try:
    from _blake2 import blake2b
except ImportError:  # an interpreter other than CPython
    from hashlib import blake2b

FORMAT = b"# isolate-record"
VERSION = b"1"
MAX_SIZE = 128 << 20
"""The most bytes that a record may have. That of ten thousand packages has a fraction of them."""


class Unverified(ValueError):
    """A record that this user's isolate did not write, or that was changed since."""


def signed(kind: str, path: str, content: bytes) -> bytes:
    """Return *content* as the record of a *kind* that belongs at the absolute *path*: with the user's code."""
    return _header(ensure_key(), kind, path, content) + content


def read_signed(kind: str, path: str) -> bytes:
    """Return the content of the record of a *kind* at *path*.

    Raises `Unverified` if its code is not valid, and `OSError` if there is no such file.
    """
    return authenticated(kind, path, read_regular_file(path))


def authenticated(kind: str, path: str, data: bytes) -> bytes:
    """Return the content of *data*, which was read from *path*; raise `Unverified` if its code is not valid."""
    key, content = read_key(), content_of(data)
    header = data[: len(data) - len(content)]
    if key is None or not compare_digest(header, _header(key, kind, path, content)):
        raise Unverified(f"{path} was not written by this user's isolate")
    return content


def content_of(data: bytes) -> bytes:
    """Return the content of a record, with or without a code, valid or not: a claim, and no more."""
    return data.partition(b"\n")[2] if data.startswith(FORMAT + b" ") else data


def read_regular_file(path: str) -> bytes:
    """Return the content of *path*; raise `OSError` if it is not a regular file of a bounded size."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb", buffering=0) as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_SIZE:
            raise OSError(f"{path} is not a record")
        return file.readall()


def _header(key: bytes, kind: str, path: str, content: bytes) -> bytes:
    name = kind.encode()
    digest = blake2b(key=key, digest_size=32)
    for part in (name, os.fsencode(path), content):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return b" ".join((FORMAT, VERSION, name, digest.hexdigest().encode())) + b"\n"
