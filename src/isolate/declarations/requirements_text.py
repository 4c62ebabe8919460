"""The text of a requirements file: its encoding, and its logical lines.

https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")  # blanks before it are stripped, for a search for them would be quadratic
CODING = re.compile(rb"#.*?coding[:=]\s*([-\w.]+)")
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins as the mark of UTF-16 does, so it comes first
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")


class LogicalLine(NamedTuple):
    """A logical line. `number` is that of its first physical line, counted from 1."""

    number: int
    text: str


def decode(content: bytes) -> str:
    """Return the text of a requirements file: UTF-8, unless a byte order mark or one of two first lines says otherwise.

    Raises:
        UnicodeDecodeError: *content* does not have that encoding.
        LookupError: The encoding is not known.
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding)
    for line in content.split(b"\n", 2)[:2]:
        if match := CODING.match(line):
            return content.decode(match[1].decode("ascii"))
    return content.decode("utf-8")


def logical_lines(text: str) -> Iterator[LogicalLine]:
    """Yield the lines that are not empty: joined at backslashes, without comments and surrounding blanks."""
    parts: list[str] = []
    first = 1
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        is_comment = re.match(r"\s*#", line) is not None
        if not parts:
            first = number
        if line.endswith("\\") and not is_comment:
            parts.append(line[:-1])
            continue
        joined = COMMENT.sub("", "".join([*parts, " " + line if is_comment and parts else line])).strip()
        parts = []
        if joined:
            yield LogicalLine(first, joined)
