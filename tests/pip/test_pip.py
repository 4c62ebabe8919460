from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isolate.errors import IsolateError, PipFailed
from isolate.locked import LockedDistribution
from isolate.pip.explanation import explain
from isolate.pip.input_files import requirement_line
from isolate.pip.redaction import redact, without_credentials
from isolate.pip.report import read_report
from isolate.pip.settings import pip_environment

ASTRAY = {
    "PIP_TARGET": "/x",
    "PIP_PREFIX": "/x",
    "PIP_ROOT": "/x",
    "PIP_USER": "1",
    "PIP_DRY_RUN": "1",
    "PIP_NO_DEPS": "1",
    "PIP_REQUIREMENT": "/x",
    "PIP_CONSTRAINT": "/x",
    "PIP_PYTHON": "/x",
    "PIP_REQUIRE_VIRTUALENV": "1",
    "PYTHONPATH": "/x",
    "PYTHONHOME": "/x",
    "PYTHONSTARTUP": "/x",
    "VIRTUAL_ENV": "/x",
}


def test_what_leads_astray_does_not_reach_pip(tmp_path):
    passed = pip_environment({**ASTRAY, "HOME": str(tmp_path)}, prefix=tmp_path)
    assert not set(ASTRAY) & set(passed)
    assert passed["PIP_CONFIG_FILE"] == os.devnull


def test_what_says_where_packages_come_from_does(tmp_path):
    settings = {"PIP_INDEX_URL": "https://one.example", "PIP_NO_INDEX": "1", "HTTPS_PROXY": "http://proxy.example"}
    passed = pip_environment({**settings, "HOME": str(tmp_path)}, prefix=tmp_path)
    assert settings.items() <= passed.items()


def test_configuration_files_are_read_in_pips_order_and_only_what_is_allowed_counts(tmp_path):
    (tmp_path / ".config/pip").mkdir(parents=True)
    (tmp_path / ".config/pip/pip.conf").write_text(
        "[global]\nindex-url = https://user.example\ntimeout = 3\ntarget = /x\n[install]\nuser = yes\nno_binary = a\n"
    )
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv/pip.conf").write_text("[global]\nindex-url = https://venv.example\nprefix = /x\n")
    environ = {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path)}
    passed = pip_environment(environ, prefix=tmp_path / "venv")
    assert passed["PIP_INDEX_URL"] == "https://venv.example"
    assert passed["PIP_TIMEOUT"] == "3"
    assert passed["PIP_NO_BINARY"] == "a"
    assert not {"PIP_TARGET", "PIP_USER", "PIP_PREFIX"} & set(passed)
    (tmp_path / "own.conf").write_text("[install]\nextra-index-url =\n  https://a.example\n  https://b.example\n")
    passed = pip_environment({**environ, "PIP_CONFIG_FILE": str(tmp_path / "own.conf")}, prefix=tmp_path / "venv")
    assert passed["PIP_EXTRA_INDEX_URL"] == "https://a.example https://b.example"
    assert "PIP_TIMEOUT" not in passed, "with a file of its own, pip does not read the user's"


def test_offline_leaves_only_what_lies_here(tmp_path):
    environ = {"PIP_INDEX_URL": "https://x.example", "PIP_FIND_LINKS": "https://y.example /here", "HOME": str(tmp_path)}
    passed = pip_environment(environ, prefix=tmp_path, offline=True)
    assert (passed["PIP_NO_INDEX"], passed["PIP_FIND_LINKS"]) == ("1", "/here")
    assert "PIP_INDEX_URL" not in passed


def test_no_home_is_no_obstacle(tmp_path):
    assert "PIP_CONFIG_FILE" in pip_environment({}, prefix=tmp_path)


def test_a_broken_configuration_file_is_named(tmp_path):
    (tmp_path / "own.conf").write_text("no section\n")
    with pytest.raises(IsolateError, match=r"own\.conf"):
        pip_environment({"PIP_CONFIG_FILE": str(tmp_path / "own.conf")}, prefix=tmp_path)


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://user:secret@host/x", "https://host/x"),
        ("https://token@host:8080/x?y#z", "https://host:8080/x?y#z"),
        ("https://host/x@y", "https://host/x@y"),
        ("git+ssh://git@host/x.git", "git+ssh://git@host/x.git"),
        ("https://${USER}:${PASSWORD}@host/x", "https://${USER}:${PASSWORD}@host/x"),
        ("file:///home/x", "file:///home/x"),
    ],
)
def test_credentials_leave_an_address(url, clean):
    assert without_credentials(url) == clean


@given(st.text(alphabet="abc:", min_size=1), st.text())
def test_credentials_never_stay_in_a_text(credentials, rest):
    secret = f"{credentials}SECRET"
    assert "SECRET" not in redact(f"{rest.replace('SECRET', '')} https://{secret}@host/x")


def test_a_report_of_another_version_is_refused():
    for text in ('{"version": "2"}', "{}", "no json", "[]"):
        with pytest.raises(PipFailed):
            read_report(text)


def test_an_old_report_has_one_hash():
    item = (
        '{"download_info": {"url": "https://u:p@h/a-1.whl", "archive_info": {"hash": "sha256=ab"}}, "is_direct": false,'
    )
    item += '"requested": true, "metadata": {"name": "A.b", "version": "1"}}'
    found = read_report(f'{{"version": "1", "pip_version": "22.3", "install": [{item}]}}')[0]
    assert (found.name, found.url, found.hashes) == ("a-b", "https://h/a-1.whl", {"sha256": "ab"})


def test_an_artifact_is_said_to_an_old_pip_by_its_address():
    table = {"wheels": [{"url": "https://h/a-1.whl", "hashes": {"sha256": "ab"}}]}
    locked = LockedDistribution(name="a", version="1", source_id="sha256:ab", table=table)
    assert requirement_line(locked) == "a @ https://h/a-1.whl --hash=sha256:ab"


SAID = {
    "No space left on device": "the disk is full",
    "ERROR: HTTP error 500 while getting http://h/x": "answers with an error",
    "Read timed out.": "does not answer",
    "NewConnectionError: Failed to establish a new connection": "cannot be reached",
    "WARNING: 401 Error, Credentials not correct for http://h/": "refuses the credentials",
    "ERROR: something new": "pip failed",
}


@pytest.mark.parametrize("output", SAID)
def test_failures_are_told_apart(output):
    error_outcome = explain(f"Collecting x\n{output}\nmore\n", declared=())
    assert SAID[output] in error_outcome.problem
    assert error_outcome.hint


@given(st.text())
def test_whatever_pip_says_is_explained_in_ten_lines(output):
    assert len(str(explain(output, declared=())).splitlines()) <= 10 + output.count("\x0b") + output.count("\x85")
