"""Keys that look like one that declares dependencies, and are not one. Ignoring them would drop what they declare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from isolate.declarations.toml_file import TomlFile

SIMILARITY = 0.8
"""How much of two keys is the same, from 0 to 1, for one to count as a misspelling of the other."""

PROJECT_KEYS = ("dependencies", "optional-dependencies", "requires-python", "dynamic")
TOP_LEVEL_KEYS = ("project", "dependency-groups", "build-system")


def reject_misspelt(
    file: TomlFile, table: Mapping[str, Any], name: str, *, declaring: Collection[str], others: Collection[str] = ()
) -> None:
    """Raise `DeclarationError` for a key of the *table* called *name* that seems to mean one of *declaring*.

    Keys in *others* are known and mean something else.
    """
    for key in table:
        if key not in declaring and key not in others and (meant := _meant(key, declaring)) is not None:
            where = f"{name}: unknown key {key}" if name else f"unknown table {key}"
            raise file.error(where, key, hint=f"did you mean `{meant}`?")


def misspelt(keys: Iterable[str], declaring: Collection[str]) -> tuple[str, str] | None:
    """Return the first of *keys* that seems to mean one of *declaring*, and that one; None if none does."""
    found = ((key, _meant(key, declaring)) for key in keys if key not in declaring)
    return next(((key, meant) for key, meant in found if meant is not None), None)


def _meant(key: str, declaring: Collection[str]) -> str | None:
    """Return the one of *declaring* that *key* seems to mean; None if it does not look like any."""
    import difflib

    normalized = key.lower().replace("_", "-")
    close = difflib.get_close_matches(normalized, declaring, 1, SIMILARITY)
    if not close and ("dependenc" in normalized or "dependanc" in normalized):
        close = difflib.get_close_matches(normalized, declaring, 1, 0)
    return close[0] if close else None
