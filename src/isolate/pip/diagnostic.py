"""Read the diagnostics in which pip reports some kinds of failures. Pure.

The reference is for programs, the rest for people:

    error: connection-failed

    × Failed to connect to host.example while fetching https://host.example/alpha-1.0-py3-none-any.whl
    ╰─> [Errno 111] Connection refused

    note: This is an issue with the network.
    hint: Are you connected to the Internet?

Further lines of the message begin with `│`, those of the context and the hint with spaces. In an encoding without these
symbols, an empty line separates the context from the message.
"""

from __future__ import annotations

import re
from typing import NamedTuple

REFERENCE = r"error: ([a-z]+(?:-[a-z]+)+|[a-z]+(?=\n\n×))$"
HEADING = re.compile(rf"^{REFERENCE}\n\n", re.MULTILINE)
NESTED_HEADING = re.compile(rf"^ *{REFERENCE}", re.MULTILINE)
HINT = re.compile(r"^hint: (.+(?:\n {6}.+)*)", re.MULTILINE)
PREFIX = re.compile(r"^(?:[×│]|╰─>)(?= |$)")
BOX = re.compile(r"\[\d+ lines? of output\]|\[end of output\]")
"""Matches the lines around the output of another program that pip quotes in a context."""


class Diagnostic(NamedTuple):
    """One diagnostic, without pip's symbols; `hint` is None if it has none."""

    reference: str
    message: str
    context: tuple[str, ...]
    hint: str | None


def last_diagnostic(output: str) -> Diagnostic | None:
    """Return the last diagnostic in *output* that is not indented, the failure that ended pip; None without one."""
    headings = list(HEADING.finditer(output))
    if not headings:
        return None
    text = output[headings[-1].end() :]
    message, arrow, context = text.split("\n\n", 1)[0].partition("\n╰─> ")
    message_lines = _lines(message)
    if not message_lines:
        return None
    if not arrow and not message.startswith("×"):
        context = _second_paragraph(text)
    hint = HINT.search(text)
    return Diagnostic(
        reference=headings[-1][1],
        message=" ".join(message_lines),
        context=tuple(line for line in _lines(context) if not BOX.fullmatch(line)),
        hint=" ".join(_lines(hint[1])) if hint else None,
    )


def references(output: str) -> frozenset[str]:
    """Return the references of all diagnostics in *output*. Those of a failed step, such as a build, are indented."""
    return frozenset(NESTED_HEADING.findall(output))


def _second_paragraph(text: str) -> str:
    paragraphs = text.split("\n\n")[1:2]
    return "" if not paragraphs or paragraphs[0].startswith(("note: ", "hint: ")) else paragraphs[0]


def _lines(text: str) -> list[str]:
    return [stripped for line in text.splitlines() if (stripped := PREFIX.sub("", line).strip())]
