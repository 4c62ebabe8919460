"""The installation report, as documented and as pips old and new really write it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pips import PIPS

from isolate import process
from isolate.errors import IsolateError, PipFailed
from isolate.pip.command import resolve_argv
from isolate.pip.report import ResolvedDistribution, read_report
from isolate.pip.settings import pip_environment
from kit.index import LocalIndex
from kit.packages import build_sdist, build_tree, build_wheel

ITEM = {
    "download_info": {
        "url": "https://user:secret@host/Alpha_Beta-1.0.whl",
        "archive_info": {"hash": "sha256=ab", "hashes": {"sha256": "ab", "md5": "cd"}},
    },
    "is_direct": False,
    "is_yanked": True,
    "requested": True,
    "requested_extras": ["fast"],
    "metadata": {
        "name": "Alpha_Beta",
        "version": "1.0",
        "requires_dist": ["delta; extra == 'fast'"],
        "requires_python": ">=3.8",
    },
}


def text_of(*items, **more):
    environment = {"python_version": "3.12"}
    table = {"version": "1", "pip_version": "26.3", "install": items, "environment": environment}
    return json.dumps({**table, **more})


def changed(download_info, **more):
    return {**ITEM, "download_info": download_info, **more}


def test_every_fact_of_an_item_is_read():
    assert read_report(text_of(ITEM)) == (
        ResolvedDistribution(
            name="alpha-beta",
            version="1.0",
            url="https://host/Alpha_Beta-1.0.whl",
            hashes={"sha256": "ab", "md5": "cd"},
            requested=True,
            requested_extras=("fast",),
            requires_dist=("delta; extra == 'fast'",),
            requires_python=">=3.8",
        ),
    )


def test_a_repository_is_told_by_kind_commit_and_revision():
    vcs = {"vcs": "git", "commit_id": "abc", "requested_revision": "main"}
    info = {"url": "https://host/a.git", "vcs_info": vcs, "subdirectory": "sub"}
    (one,) = read_report(text_of(changed(info, is_direct=True)))
    assert (one.vcs, one.subdirectory, one.is_direct, one.is_directory) == (("git", "abc", "main"), "sub", True, False)
    del vcs["requested_revision"]
    assert read_report(text_of(changed(info)))[0].vcs == ("git", "abc", None)


@pytest.mark.parametrize(("info", "editable"), [({}, False), ({"editable": True}, True)])
def test_a_directory_may_be_editable(info, editable):
    (one,) = read_report(text_of(changed({"url": "file:///lib", "dir_info": info})))
    assert (one.is_directory, one.editable, one.hashes) == (True, editable, {})


def test_a_field_that_a_later_pip_adds_does_no_harm():
    assert read_report(text_of({**ITEM, "added": 1}, added=2))[0].name == "alpha-beta"


WRONG = ["", "no json", "[]", "1", "null", "{}", '{"version": "1"}', '{"version": 1}', "[" * 100_000]
WRONG += [text_of(ITEM, version="2"), text_of({}), text_of("text"), text_of(changed(None)), text_of(changed("text"))]
WRONG += [text_of({**ITEM, "metadata": {}}), text_of(changed({"url": 1})), text_of(install=3)]


@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_what_is_no_report_of_version_1_is_refused_with_words(text):
    with pytest.raises(PipFailed, match="pip's report") as refused:
        read_report(text)
    assert refused.value.hint


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from([*ITEM, *ITEM["metadata"], "url"]) | st.text(), inner)
    ),
)


@given(st.fixed_dictionaries({"version": st.just("1"), "pip_version": st.text(), "install": st.lists(JSON)}))
def test_nothing_but_our_errors_comes_of_any_report(table):
    try:
        read_report(json.dumps(table))
    except IsolateError as error:
        assert error.hint


@pytest.mark.parametrize("python", PIPS)
def test_real_reports_are_read(python, tmp_path):
    links = tmp_path / "index"
    build_wheel(links, "alpha", "1.0", extras={"fast": ["delta"]}, requires_python=">=3.6")
    build_wheel(links, "delta", "1.0")
    build_sdist(links, "source", "1.0")
    lib, edited = build_tree(tmp_path / "lib", "lib", "1.0"), build_tree(tmp_path / "edited", "edited", "2.0")
    direct = build_wheel(tmp_path / "direct", "direct", "3.0")
    lines = ["alpha[fast]", "source", str(lib), f"-e {edited}", f"direct @ {direct.as_uri()}"]
    with LocalIndex(links).serving() as index:
        found = resolved(python, lines, tmp_path, index.url)
    assert sorted(found) == ["alpha", "delta", "direct", "edited", "lib", "source"]
    assert {name for name, one in found.items() if one.requested} == {"alpha", "direct", "edited", "lib", "source"}
    assert {name for name, one in found.items() if one.is_direct} == {"direct", "edited", "lib"}
    assert {name for name, one in found.items() if one.is_directory} == {"edited", "lib"}
    assert {name for name, one in found.items() if one.editable} == {"edited"}
    assert found["alpha"].requested_extras == ("fast",)
    assert found["alpha"].requires_python == ">=3.6"
    assert "delta" in found["alpha"].requires_dist[0]
    assert all(len(found[name].hashes["sha256"]) == 64 for name in ("alpha", "delta", "source"))
    assert found["source"].url.endswith("/files/source-1.0.tar.gz")


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")
def test_a_real_report_of_a_repository_is_read(tmp_path):
    tree = build_tree(tmp_path / "repository", "tracked", "1.0")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example", "-C", str(tree)]
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "a"]):
        subprocess.run([*git, *words], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    line = f"tracked @ git+{tree.as_uri()}@main"
    found = resolved(sys.executable, [line], tmp_path, "http://127.0.0.1:9/")["tracked"]
    assert found.vcs == ("git", commit, "main")
    assert found.is_direct


def resolved(python, lines, tmp_path, index_url):
    """Let a real pip resolve *lines*, and return what its report says, by name."""
    (tmp_path / "requirements.txt").write_text("".join(f"{line}\n" for line in lines))
    report = tmp_path / "report.json"
    argv = resolve_argv(Path(python), requirements=[tmp_path / "requirements.txt"], constraints=[], report=report)
    environ = {"PIP_INDEX_URL": index_url, "HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PIP_NO_CACHE_DIR": "1"}
    done = process.run(argv, env=pip_environment(environ, prefix=tmp_path), cwd=tmp_path)
    assert done.status == 0, done.errors
    return {one.name: one for one in read_report(report.read_text())}
