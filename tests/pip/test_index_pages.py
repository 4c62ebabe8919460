"""What the pips that isolate runs say about the pages of indexes, and what follows from it."""

from __future__ import annotations

import os

import pytest
from pips import PIPS, python_with_pip

from isolate import process
from isolate.pip.index_pages import IndexAnswers, IndexFailed, pages_in
from isolate.pip.runner import WATCHED_SCRIPT
from isolate.pip.runner_output import read_log
from isolate.pip.settings import pip_environment
from kit.index import LocalIndex
from kit.packages import build_sdist, build_wheel

REFUSED = "http://127.0.0.1:9/simple/"


@pytest.fixture
def log_of(tmp_path):
    """Return a function that lets a pip resolve a requirement with an extra index, and returns the lines of its log."""

    def log_of(version, index, extra, requirement="alpha"):
        variables = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1"}
        env = pip_environment({**variables, "PIP_INDEX_URL": index, "PIP_EXTRA_INDEX_URL": extra}, prefix=tmp_path)
        arguments = ("install", "--dry-run", "--ignore-installed", "--report", str(tmp_path / "report"), requirement)
        log = tmp_path / "pip.log"
        argv = (python_with_pip(version), "-I", WATCHED_SCRIPT, str(log), *arguments)
        finished = process.run(argv, env=env, cwd=tmp_path)
        assert finished.status == 0, finished.errors
        return [*read_log(log)]

    return log_of


@pytest.mark.parametrize("version", PIPS)
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("401", "401"),
        ("503", "503"),
        ("plain", "list of files"),
        ("login", "without files"),
        (None, "cannot be reached"),
    ],
)
def test_each_pip_tells_which_index_failed(log_of, tmp_path, version, fault, message):
    build_wheel(tmp_path / "links", "alpha", "1.0")
    with LocalIndex(tmp_path / "links").serving() as good, LocalIndex(tmp_path / "links").serving() as bad:
        bad.misbehave("/simple", fault or "")
        lines = log_of(version, good.url, bad.url if fault else REFUSED)
        place = (bad.url if fault else REFUSED).split("/")[2]
    with pytest.raises(IndexFailed) as failure:
        IndexAnswers().check(lines)
    assert message in failure.value.problem
    assert place in failure.value.problem


@pytest.mark.parametrize("version", PIPS)
def test_each_pip_tells_it_of_the_pips_that_it_starts(log_of, tmp_path, version):
    build_wheel(tmp_path / "links", "tool", "1.0")
    build_sdist(tmp_path / "links", "alpha", "1.0", build_requires=["tool"])
    with LocalIndex(tmp_path / "links").serving() as good, LocalIndex(tmp_path / "links").serving() as bad:
        bad.misbehave("/simple/tool", "503")
        lines = log_of(version, good.url, bad.url)
    with pytest.raises(IndexFailed, match="503"):
        IndexAnswers().check(lines)


@pytest.mark.parametrize("version", PIPS)
def test_an_index_that_works_has_files(log_of, tmp_path, version):
    build_wheel(tmp_path / "links", "alpha", "1.0", tag="cp27-none-win32")  # no file fits
    build_wheel(tmp_path / "others", "alpha", "1.0")
    with LocalIndex(tmp_path / "links").serving() as good, LocalIndex(tmp_path / "others").serving() as other:
        lines = log_of(version, good.url, other.url)
    assert [page.has_files for page in pages_in(lines)] == [True, True]
    IndexAnswers().check(lines)


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("404 Client Error: Not Found for url: http://host/simple/x/", None),
        ("410 Client Error: Gone for url: http://host/simple/x/", None),
        ("401 Client Error: 404 for url: http://host/simple/x/", "401 (Unauthorized)"),
        ("599 Server Error: Odd for url: http://host/simple/x/", "answered 599"),
        ("There was a problem confirming the ssl certificate: bad", "TLS verification failed"),
        ("proxy connection error: [Errno 111] Connection refused", "the proxy cannot be reached"),
        ("HTTPSConnectionPool(host='host', port=443): Read timed out. (read timeout=15)", "did not respond in time"),
        ("something that a later pip says", "cannot be reached"),
    ],
)
def test_a_reason_is_a_failure_unless_it_says_absent(reason, message):
    lines = [f"Could not fetch URL http://user:****@host/simple/x/: {reason} - skipping\n"]
    if message is None:
        return IndexAnswers().check(lines)
    with pytest.raises(IndexFailed) as failure:
        IndexAnswers().check(lines)
    assert message in failure.value.problem
    assert "user" not in str(failure.value)
    return None


def test_an_index_that_served_something_before_may_lack_a_project():
    answers = IndexAnswers()
    asked = "Fetching project page and analyzing links: http://host/simple/{0}/\n"
    forbidden = "Could not fetch URL http://host/simple/b/: 403 Client Error: Forbidden for url: x - skipping\n"
    with pytest.raises(IndexFailed):
        answers.check([asked.format("b"), forbidden])
    fetched = "Fetched page http://host/simple/a/ as text/html; charset=utf-8\n"
    answers.check([asked.format("a"), fetched, "Found link http://host/a-1.0.zip, version: 1.0\n"])
    answers.check([asked.format("b"), forbidden])
    with pytest.raises(IndexFailed):
        IndexAnswers(["http://other/simple"]).check([forbidden])
    IndexAnswers().check([asked.format("b"), forbidden], more_follows=True)
    answers = IndexAnswers()
    answers.check([forbidden], more_follows=True)
    with pytest.raises(IndexFailed):
        answers.check([])
    answers.add_files(["http://host/simple/a-1.0-py3-none-any.whl"])
    answers.check([forbidden])
    IndexAnswers(["http://user:secret@host/simple"]).check([forbidden])
