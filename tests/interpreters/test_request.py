"""Which interpreters meet a request."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythons import imaginary

from isolate.errors import IsolateError
from isolate.interpreters.request import PythonRequest


def request_for(text):
    return PythonRequest(text=text, source="--python", directory=Path())


VERSIONS = {
    "3.12": "3.12.1",
    "3.12.1": "3.12.1",
    "3": "3.12.1",
    "python3.12": "3.12.1",
    "cpython-3.12": "3.12.1",
    "cpython@3.12": "3.12.1",
    "cpython-3.12.1-linux-x86_64-gnu": "3.12.1",
    "3.14-dev": "3.14.0a3",
    "3.14.0a3": "3.14.0a3",
    ">=3.13": "3.14.0a3",
    "system": "3.12.1",
    "3.12.x": "3.12.1",
    "3.x": "3.12.1",
    "python-3.12.*": "3.12.1",
}


@pytest.mark.parametrize("text", VERSIONS)
def test_a_version_is_understood_as_it_is_commonly_written(text):
    assert request_for(text).is_met_by(imaginary(VERSIONS[text]))


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("3.1", "3.12.1"),
        ("3.12", "3.11.12"),
        ("3.14.0", "3.14.0a3"),
        ("3.12t", "3.12.1"),
        ("pypy3.12", "3.12.1"),
        ("3.11.x", "3.12.1"),
    ],
)
def test_a_different_version_does_not_meet_the_request(text, version):
    assert not request_for(text).is_met_by(imaginary(version))


def test_implementations_and_free_threaded_builds_are_told_apart():
    pypy, free_threaded = imaginary("3.10.14", "pypy"), imaginary("3.13.0", free_threaded=True)
    assert request_for("pypy3.10-7.3.17").is_met_by(pypy)
    assert not request_for("cpython-3.10").is_met_by(pypy)
    assert request_for("3.13t").is_met_by(free_threaded)
    assert not request_for("3.13").is_met_by(free_threaded)


def test_any_release_of_a_minor_version_is_installed_by_that_version():
    request = request_for("3.12.x")
    assert (request.version, request.installable, request.commands[0]) == ("3.12", "3.12", "python3.12")


@pytest.mark.parametrize("text", ["x", ".x", "python.x", "3.12x", "3.12.xx", "3.12.x.1"])
def test_what_only_looks_like_any_release_is_invalid(text):
    with pytest.raises(IsolateError, match="invalid Python request"):
        request_for(text).is_met_by(imaginary("3.12.1"))


@given(st.text())
def test_any_text_is_met_or_not_met_or_refused_with_a_hint(text):
    request = request_for(text)
    try:
        is_met = request.is_met_by(imaginary("3.12.1"))
    except IsolateError as error:
        assert error.hint
    else:
        assert is_met in (True, False)
        assert all("/" not in command for command in request.commands)
