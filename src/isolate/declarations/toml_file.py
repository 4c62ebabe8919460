"""A TOML file with typed access to its values. Its errors name the file and, if possible, the line."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from isolate.bounded_read import UnexpectedFile, read_bounded
from isolate.declarations.limits import check_depth
from isolate.errors import DeclarationError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from isolate.declarations.declared import Origin


Value = TypeVar("Value")


class TomlFile:
    """The bytes, the text and the top-level table of a TOML file.

    The methods take a table, a key, and the full name of the key for messages.
    """

    def __init__(self, path: Path) -> None:
        """Read *path*; raise `DeclarationError` if it cannot be read or is not TOML."""
        self.path = path
        try:
            self.content = read_bounded(path)
            self.text = self.content.decode()
            self.table: Mapping[str, Any] = parse_toml(self.text)
        except OSError as error:
            raise unreadable(path, error) from None
        except UnicodeDecodeError as error:
            raise DeclarationError(f"not valid UTF-8: {error.reason}", hint="save it as UTF-8", file=path) from None
        except ValueError as error:
            raise invalid_toml(path, error) from None

    def mapping(self, table: Mapping[str, Any], key: str, name: str | None = None) -> Mapping[str, Any]:
        """Return the table at *key*, empty if there is none; raise `DeclarationError` for any other value."""
        value = table.get(key, {})
        if not isinstance(value, dict):
            raise self.error(f"{name or key}: expected a table, found {type_name(value)}", key)
        return value

    def strings(self, table: Mapping[str, Any], key: str, name: str) -> list[str]:
        """Return the list of strings at *key*, empty if there is none; raise `DeclarationError` for any other value."""
        value = table.get(key, [])
        if not isinstance(value, list):
            raise self.error(f"{name}: expected a list of strings, found {type_name(value)}", key)
        for item in value:
            if not isinstance(item, str):
                raise self.error(f"{name}: expected strings, found {type_name(item)}", key)
            self._reject_nul(item, key, name)
        return value

    def string(self, table: Mapping[str, Any], key: str, name: str) -> str | None:
        """Return the string at *key*, None if there is none; raise `DeclarationError` for any other value."""
        value = table.get(key)
        if value is not None and not isinstance(value, str):
            raise self.error(f"{name}: expected a string, found {type_name(value)}", key)
        self._reject_nul(value or "", key, name)
        return value

    def error(self, problem: str, about: str | None, *, hint: str | None = None) -> DeclarationError:
        """Return an error at the line of *about*, a text of the file."""
        line = self.origin(about).line if about else None
        return DeclarationError(problem, hint=hint or self._hint, file=self.path, line=line)

    def origin(self, text: str) -> Origin:
        """Return the place of *text*, without a line if several lines have the text or it is written with escapes."""
        from isolate.declarations.declared import Origin

        lines = [number for number, line in enumerate(self.text.splitlines(), start=1) if text in line]
        return Origin(file=self.path, line=lines[0] if len(lines) == 1 else None)

    def checked(self, make: Callable[[], Value], name: str, about: str) -> Value:
        """Return what *make* returns, a value for the key *name*; raise a `ValueError` of it as `DeclarationError`."""
        try:
            return make()
        except ValueError as error:
            raise self.error(f"{name}: {error}", about) from None

    def _reject_nul(self, text: str, key: str, name: str) -> None:
        if "\0" in text:  # neither a path nor an argument of a program can contain one
            raise self.error(f"{name}: {text!r} contains a NUL character", key)

    @property
    def _hint(self) -> str:
        return f"correct {self.path.name}"


def parse_toml(text: str) -> dict[str, Any]:
    """Return the top-level table of *text*; raise `ValueError` if it is not TOML, or is nested too deep."""
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    check_depth(table)
    return table


def invalid_toml(path: Path, raised: ValueError, before: int = 0) -> DeclarationError:
    """Return the error for TOML in *path* that `parse_toml` *raised* something for, with *before* lines above it."""
    match = re.search(r"at line (\d+)", str(raised))
    line = int(match[1]) + before if match else None
    error = re.sub(r" \(at line .*\)$", "", str(raised)) if before else str(raised)
    return DeclarationError(f"not valid TOML: {error}", hint=f"correct {path.name}", file=path, line=line)


def unreadable(path: Path, error: OSError) -> DeclarationError:
    """Return the error for a declaration *path* that could not be read."""
    is_unexpected = isinstance(error, (UnexpectedFile, IsADirectoryError))
    hint = "put a file with declarations there, or remove it" if is_unexpected else "check the permissions of the file"
    return DeclarationError(f"cannot be read: {error.strerror}", hint=hint, file=path)


def type_name(value: object) -> str:
    """Return the type of a TOML *value* as messages call it."""
    names = {str: "a string", bool: "a boolean", int: "a number", float: "a number", list: "a list"}
    return "a table" if isinstance(value, dict) else names.get(type(value), "a date")
