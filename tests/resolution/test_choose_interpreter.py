"""Which request for an interpreter counts: the option, the setting, or `.python-version`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from isolate.application import Application
from isolate.declarations.read import read_declarations
from isolate.errors import DeclarationError
from isolate.resolution.interpreter import choose_interpreter
from isolate.session import LazyStore, Session

MINOR_VERSION = ".".join(map(str, sys.version_info[:2]))
BASE = str(Path(sys.base_prefix, "bin", f"python{MINOR_VERSION}"))


@pytest.fixture
def reason(application, cache):
    """Return a function that returns why an application gets its interpreter, given the option `--python`."""

    def reason(root, option=None):
        session = Session(environ=os.environ, lazy_store=LazyStore(os.environ))
        return choose_interpreter(Application(root), read_declarations(root), option, None, session).reason

    return reason


@pytest.fixture
def root(application):
    """Return an application whose setting and whose `.python-version` request an interpreter, by different names."""
    pyproject = f'[project]\nname = "app"\nversion = "1"\n[tool.isolate]\npython = "{BASE}"\n'
    return application({"pyproject.toml": pyproject, ".python-version": f"{MINOR_VERSION}\n"})


def test_the_option_counts_first(reason, root):
    assert reason(root, f"python{MINOR_VERSION}") == f"--python python{MINOR_VERSION}"


def test_the_setting_counts_second(reason, root):
    assert reason(root) == f'python = "{BASE}" in pyproject.toml'


def test_the_version_file_counts_third(reason, root):
    (root / "pyproject.toml").write_text('[project]\nname = "app"\nversion = "1"\n')
    assert reason(root) == f".python-version: {MINOR_VERSION}"


def test_without_a_request_it_is_the_default(reason, root):
    (root / "pyproject.toml").write_text('[project]\nname = "app"\nversion = "1"\n')
    (root / ".python-version").unlink()
    assert reason(root) == "python3 on PATH"


def test_a_version_file_that_cannot_be_read_is_an_error_even_if_it_does_not_count(reason, root):
    (root / ".python-version").write_text("\n")
    with pytest.raises(DeclarationError, match="contains no Python version"):
        reason(root, MINOR_VERSION)
