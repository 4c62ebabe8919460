"""Read RECORD: https://packaging.python.org/en/latest/specifications/recording-installed-packages/."""

from __future__ import annotations

import csv
import io


def read_record(content: bytes) -> list[list[str]]:
    """Return the rows of a RECORD; raise `ValueError` if it is not text, not CSV, or has a NUL, which no path has."""
    text = content.decode()
    if "\0" in text:
        raise ValueError("a RECORD with a NUL character")
    try:
        return list(csv.reader(io.StringIO(text)))
    except csv.Error as error:
        raise ValueError(str(error)) from None
