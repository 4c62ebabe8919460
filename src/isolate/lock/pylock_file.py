"""Read `pylock.toml` with `packaging.pylock`, and write it with `tomli-w`.

The format is PEP 751's: https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import tomli_w
from packaging.pylock import Pylock, PylockValidationError

from isolate.bounded_read import read_bounded
from isolate.declarations.toml_file import parse_toml
from isolate.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RECREATE_HINT = "run `isolate lock --upgrade` to recreate it, or restore it"

NUL = re.compile(rb"\\u0000|\\U00000000|\\x00|%00")
"""A NUL character, as TOML or a URL can spell it."""

LONG_NUMBER = re.compile(rb"\d{1001}")


def read_lock(path: Path) -> Pylock | None:
    """Return the lock in the file *path*; None if there is no such file. Raises `DeclarationError` if it is invalid."""
    content = read_lock_content(path)
    return None if content is None else parse_lock(content, path)


def read_lock_content(path: Path) -> bytes | None:
    """Return the bytes of the lock *path*; None if there is no such file. Raises `DeclarationError` otherwise."""
    try:
        return read_bounded(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DeclarationError(f"cannot be read: {error.strerror}", hint=RECREATE_HINT, file=path) from None


def parse_lock(content: bytes, path: Path) -> Pylock:
    """Return the lock in *content*. Raises `DeclarationError`, which names *path*, if it is invalid."""
    if nul := NUL.search(content):
        line = content.count(b"\n", 0, nul.start()) + 1
        problem = "contains a NUL character, which no path and no URL may have"
        raise DeclarationError(problem, hint=RECREATE_HINT, file=path, line=line)
    if number := LONG_NUMBER.search(content):
        line = content.count(b"\n", 0, number.start()) + 1
        problem = "contains a number with more than 1000 digits"
        raise DeclarationError(problem, hint=RECREATE_HINT, file=path, line=line)
    try:
        return Pylock.from_dict(parse_toml(content.decode()))
    except UnicodeDecodeError:
        raise DeclarationError("is not UTF-8 text", hint=RECREATE_HINT, file=path) from None
    except PylockValidationError as error:
        raise DeclarationError(f"is not a valid lock (PEP 751): {error}", hint=RECREATE_HINT, file=path) from None
    except RecursionError:
        raise DeclarationError("has a marker that is nested too deep", hint=RECREATE_HINT, file=path) from None
    except ValueError as error:
        match = re.search(r"at line (\d+)", str(error))
        raise DeclarationError(
            f"is not valid TOML: {error}", hint=RECREATE_HINT, file=path, line=int(match[1]) if match else None
        ) from None


def lock_content(lock: Pylock) -> bytes:
    """Return *lock* as the bytes of a `pylock.toml`. Equal locks have equal bytes."""
    return tomli_w.dumps(_plain(lock.to_dict())).encode()


def _plain(value: Any) -> Any:
    if hasattr(value, "items"):
        mapping: Mapping[str, Any] = value
        return {key: _plain(item) for key, item in mapping.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
