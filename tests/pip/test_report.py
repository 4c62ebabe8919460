"""The installation report is read as documented, and as the pips that isolate runs write it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pips import PIPS, python_with_pip

from isolate import process
from isolate.errors import IsolateError, PipFailed
from isolate.pip.command import resolve_arguments
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


def report_of(*items, **more):
    environment = {"python_version": "3.12"}
    table = {"version": "1", "pip_version": "26.3", "install": items, "environment": environment}
    return json.dumps({**table, **more})


def item_from(download_info, **more):
    return {**ITEM, "download_info": download_info, **more}


def test_every_field_of_an_item_is_read():
    assert read_report(report_of(ITEM)) == (
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


def test_the_report_of_an_older_pip_has_one_hash():
    item = item_from({"url": "https://host/Alpha_Beta-1.0.whl", "archive_info": {"hash": "sha256=ab"}})
    assert read_report(report_of(item, version="0"))[0].hashes == {"sha256": "ab"}


def test_a_repository_has_type_commit_and_revision():
    vcs = {"vcs": "git", "commit_id": "abc", "requested_revision": "main"}
    info = {"url": "https://host/a.git", "vcs_info": vcs, "subdirectory": "sub"}
    (item,) = read_report(report_of(item_from(info, is_direct=True)))
    assert item.vcs == ("git", "abc", "main")
    assert (item.subdirectory, item.is_direct, item.is_directory) == ("sub", True, False)
    del vcs["requested_revision"]
    assert read_report(report_of(item_from(info)))[0].vcs == ("git", "abc", None)


@pytest.mark.parametrize(("info", "editable"), [({}, False), ({"editable": True}, True)])
def test_a_directory_may_be_editable(info, editable):
    (item,) = read_report(report_of(item_from({"url": "file:///lib", "dir_info": info})))
    assert (item.is_directory, item.editable, item.hashes) == (True, editable, {})


def test_an_unknown_field_is_ignored():
    assert read_report(report_of({**ITEM, "added": 1}, added=2))[0].name == "alpha-beta"


INVALID = ["", "no json", "[]", "1", "null", "{}", '{"version": "1"}', '{"version": 1}', '{"version": "2"}']
INVALID += ["[" * 100_000, report_of(ITEM, version="2"), report_of({}), report_of("text"), report_of(install=3)]
INVALID += [report_of(item_from(info)) for info in (None, "text", {"url": 1})]
INVALID += [report_of({**ITEM, "metadata": {}})]


@pytest.mark.parametrize("text", INVALID, ids=range(len(INVALID)))
def test_an_invalid_report_is_an_error_with_a_hint(text):
    with pytest.raises(PipFailed, match="pip's installation report") as failure:
        read_report(text)
    assert failure.value.hint


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from([*ITEM, *ITEM["metadata"], "url"]) | st.text(), inner)
    ),
)


@given(st.fixed_dictionaries({"version": st.just("1"), "pip_version": st.text(), "install": st.lists(JSON)}))
def test_any_report_is_read_or_is_an_error_with_a_hint(table):
    try:
        read_report(json.dumps(table))
    except IsolateError as error:
        assert error.hint


@pytest.mark.parametrize("version", PIPS)
def test_a_report_of_a_real_pip_is_read(version, tmp_path):
    python = python_with_pip(version)
    links = tmp_path / "index"
    build_wheel(links, "alpha", "1.0", extras={"fast": ["delta"]}, requires_python=">=3.6")
    build_wheel(links, "delta", "1.0")
    build_sdist(links, "source", "1.0")
    lib, edited = build_tree(tmp_path / "lib", "lib", "1.0"), build_tree(tmp_path / "edited", "edited", "2.0")
    direct = build_wheel(tmp_path / "direct", "direct", "3.0")
    lines = ["alpha[fast]", "source", str(lib), f"-e {edited}", f"direct @ {direct.as_uri()}"]
    with LocalIndex(links).serving() as index:
        items = resolve(python, lines, tmp_path, index.url)
    assert sorted(items) == ["alpha", "delta", "direct", "edited", "lib", "source"]
    assert names_with(items, "requested") == {"alpha", "direct", "edited", "lib", "source"}
    assert names_with(items, "is_direct") == {"direct", "edited", "lib"}
    assert names_with(items, "is_directory") == {"edited", "lib"}
    assert names_with(items, "editable") == {"edited"}
    assert items["alpha"].requested_extras == ("fast",)
    assert items["alpha"].requires_python == ">=3.6"
    assert "delta" in items["alpha"].requires_dist[0]
    assert all(len(items[name].hashes["sha256"]) == 64 for name in ("alpha", "delta", "source"))
    assert items["source"].url.endswith("/files/source-1.0.tar.gz")


def names_with(items, field):
    return {name for name, item in items.items() if getattr(item, field)}


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_real_report_of_a_repository_is_read(tmp_path):
    tree = build_tree(tmp_path / "repository", "tracked", "1.0")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example", "-C", str(tree)]
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "a"]):
        subprocess.run([*git, *arguments], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    line = f"tracked @ git+{tree.as_uri()}@main"
    item = resolve(sys.executable, [line], tmp_path, "http://127.0.0.1:9/")["tracked"]
    assert item.vcs == ("git", commit, "main")
    assert item.is_direct


def resolve(python, lines, tmp_path, index_url):
    """Let a real pip resolve *lines*, and return the items of its report by name."""
    (tmp_path / "requirements.txt").write_text("".join(f"{line}\n" for line in lines))
    report = tmp_path / "report.json"
    arguments = resolve_arguments(requirements=[tmp_path / "requirements.txt"], constraints=[], report=report)
    argv = (python, "-I", "-m", "pip", *arguments)
    environ = {"PIP_INDEX_URL": index_url, "HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PIP_NO_CACHE_DIR": "1"}
    finished = process.run(argv, env=pip_environment(environ, prefix=tmp_path), cwd=tmp_path)
    assert finished.status == 0, finished.errors
    return {item.name: item for item in read_report(report.read_text())}
