"""Diagnostics are read as pip itself writes them."""

from __future__ import annotations

import io
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pip._internal.exceptions import DiagnosticPipError
from pip._vendor.rich.console import Console

from isolate.pip.diagnostic import Diagnostic, last_diagnostic, references

HINT = "Check this. " * 20
ERRORS = {
    "all parts": (
        {"message": "It failed", "context": "The reason", "note_stmt": "A note", "hint_stmt": HINT},
        Diagnostic("it-failed", "It failed", ("The reason",), HINT.strip()),
    ),
    "several lines": (
        {"message": "It failed.\nexit code: 1", "context": "The reason\nand more", "hint_stmt": "One\ntwo"},
        Diagnostic("it-failed", "It failed. exit code: 1", ("The reason", "and more"), "One two"),
    ),
    "a message": (
        {"message": "It failed", "context": None, "hint_stmt": None},
        Diagnostic("it-failed", "It failed", (), None),
    ),
    "a message and a note": (
        {"message": "It failed", "context": None, "hint_stmt": None, "note_stmt": "A note"},
        Diagnostic("it-failed", "It failed", (), None),
    ),
    "a message and a hint": (
        {"message": "It failed", "context": None, "hint_stmt": "Check"},
        Diagnostic("it-failed", "It failed", (), "Check"),
    ),
    "a link": (
        {"message": "It failed", "context": "The reason", "hint_stmt": "Check", "link": "https://host.example"},
        Diagnostic("it-failed", "It failed", ("The reason",), "Check"),
    ),
    "quoted output": (
        {"message": "It failed", "context": "\\[2 lines of output]\nfirst\nlast\n\\[end of output]", "hint_stmt": None},
        Diagnostic("it-failed", "It failed", ("first", "last"), None),
    ),
}
"""What pip reports, and what is read."""


def printed(*, encoding="utf-8", reference="it-failed", **parts):
    """Return what pip prints for a diagnostic."""
    buffer = io.BytesIO()
    file = io.TextIOWrapper(buffer, encoding=encoding)
    error = DiagnosticPipError(reference=reference, **parts)
    Console(file=file, width=80).print(error, overflow="ignore", crop=False)
    file.flush()
    return buffer.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("name", ERRORS)
def test_a_diagnostic_is_read(name, encoding):
    parts, expected = ERRORS[name]
    output = printed(encoding=encoding, **parts)
    assert ("×" in output) == (encoding == "utf-8")
    assert last_diagnostic(f"Collecting alpha\n{output}") == expected


def test_the_last_diagnostic_is_read_and_not_that_of_a_step():
    first = printed(reference="the-first", message="First", context="One", hint_stmt=None)
    last = printed(reference="the-last", message="Last", context="Two", hint_stmt=None)
    step = textwrap.indent(printed(reference="of-a-step", message="Step", context="Three", hint_stmt=None), "  ")
    output = f"{first}ERROR: more\n{last}\n{step}"
    assert last_diagnostic(output) == Diagnostic("the-last", "Last", ("Two",), None)
    assert references(output) == {"the-first", "the-last", "of-a-step"}


@pytest.mark.parametrize(
    "output", ["", "error: it-failed", "error: it-failed\n\n", "error: failed\n\nbadly", "error: it-failed\nx"]
)
def test_other_output_has_no_diagnostic(output):
    assert last_diagnostic(output) is None


@given(st.text(st.sampled_from("×│╰─> \nab:[]") | st.characters(), max_size=40))
def test_any_output_after_a_heading_is_read(text):
    diagnostic = last_diagnostic(f"error: it-failed\n\n{text}")
    assert diagnostic is None or diagnostic.reference == "it-failed"
    if diagnostic is not None:
        assert diagnostic.message
        assert "\n" not in "".join((diagnostic.message, *diagnostic.context, diagnostic.hint or ""))
