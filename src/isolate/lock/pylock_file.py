"""`pylock.toml` on disk: read through `packaging.pylock`, written through `tomli-w`.

The format is PEP 751's: https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import tomli_w
from packaging.pylock import Pylock, PylockValidationError

from isolate.errors import DeclarationError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REMAKE = "run `isolate lock --upgrade` to make it anew, or restore it"

NUL = re.compile(rb"\\u0000|\\U00000000|\\x00|%00")
"""A NUL as TOML can write it, or an address."""


def read_lock(path: Path) -> Pylock | None:
    """Return the lock in *path*, None where there is no such file; raise `DeclarationError` if it is no lock."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DeclarationError(f"cannot be read: {error.strerror}", file=path) from None
    return parse_lock(content, path)


def parse_lock(content: bytes, path: Path) -> Pylock:
    """Return the lock that *content* says; *path* is for the message of the `DeclarationError`."""
    if nul := NUL.search(content):
        before = content.count(b"\n", 0, nul.start())
        raise DeclarationError("has a NUL, as no path and no address may", hint=REMAKE, file=path, line=before + 1)
    try:
        return Pylock.from_dict(tomllib.loads(content.decode()))
    except UnicodeDecodeError:
        raise DeclarationError("is not UTF-8 text", hint=REMAKE, file=path) from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise DeclarationError(
            f"is not TOML: {error}", hint=REMAKE, file=path, line=int(line[1]) if line else None
        ) from None
    except PylockValidationError as error:
        raise DeclarationError(f"is not a lock as PEP 751 has it: {error}", hint=REMAKE, file=path) from None


def lock_content(lock: Pylock) -> bytes:
    """Return *lock* as the bytes of a `pylock.toml`: the same lock always gives the same bytes."""
    return tomli_w.dumps(_plain(lock.to_dict())).encode()


def _plain(value: Any) -> Any:
    if hasattr(value, "items"):
        mapping: Mapping[str, Any] = value
        return {key: _plain(item) for key, item in mapping.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
