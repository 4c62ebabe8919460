"""Every class of errors has a code, a meaning and a remedy, and the page of errors lists them with their messages."""

from __future__ import annotations

import importlib.util
import re

import pytest

from conftest import SOURCE

TOOL = SOURCE.parent / "tools/errors_page.py"
spec = importlib.util.spec_from_file_location("errors_page", TOOL)
errors_page = importlib.util.module_from_spec(spec)
spec.loader.exec_module(errors_page)
CLASSES = errors_page.error_classes()


def test_the_page_is_what_the_generator_writes():
    assert errors_page.PAGE.read_text(encoding="utf-8") == errors_page.page(), f"run {TOOL}"


def test_codes_are_unique():
    codes = [error.code for error in CLASSES]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_a_class_of_errors_is_described(error):
    assert re.fullmatch("[a-z]+(-[a-z]+)*", error.code)
    assert "code" in vars(error)
    assert "remedy" in vars(error)
    for sentence in (errors_page.meaning(error), error.remedy):
        assert sentence.endswith(".")
        assert "|" not in sentence


def test_messages_are_found_wherever_they_are_written():
    messages = {(message.name, message.text) for message in errors_page.Source(CLASSES).messages()}
    assert ("DeclarationError", "not valid TOML: <error>") in messages  # passed to a method that makes the error
    assert ("UsageError", "--locked and --frozen exclude each other") in messages  # passed to the class
    assert ("InvalidDistribution", "<name> and <other> both install <path>") in messages  # in a function's return value


def test_the_base_class_is_never_raised():
    calls = re.compile(r"\braise IsolateError\(")
    assert [path.name for path in (SOURCE / "isolate").rglob("*.py") if calls.search(path.read_text("utf-8"))] == []
