"""What several applications of one command lack is fetched together, and whatever goes wrong stays with its own."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from conftest import inconsistencies, versions
from isolate.application import Application
from isolate.batch_fetch import BatchFetcher
from kit.index import LocalIndex
from kit.packages import build_tree, build_wheel

NUMBER = 5
MANY_PINS = [f"shared{number}" for number in range(8)]


def installed(result):
    """Return what each pip that was run installed."""
    lines = [line.partition("Installing collected packages: ")[2] for line in result.err.splitlines()]
    return [sorted(line.split(", ")) for line in lines if line]


@pytest.fixture
def applications(application, index):
    """Applications that have a package of their own each, in a repository that is returned."""
    for number in range(NUMBER):
        build_wheel(index.folder, f"own{number}", "1.0")
        application({"requirements.txt": f"alpha==1.0\nown{number}==1.0\n"}, name=f"repo/{number}")
    return application({}, name="repo")


@pytest.fixture
def locked(isolate, applications, index):
    """The same with their locks; the store has none of it."""
    isolate("lock", "--all", "-q", cwd=applications)
    index.requests.clear()
    return applications


def test_others_are_looked_at_from_the_next_on_until_several_in_a_row_lack_nothing_more():
    company = BatchFetcher(applications=[Application(root=Path(f"/{number}")) for number in range(9)])
    seen = []

    def lacked_by(other):
        seen.append(other.name)
        if other.name == "5":
            raise KeyError("what is wrong with it is told in its turn")
        return {"shared": 1, "7": 1} if other.name == "7" else {"shared": 1}

    fetched = company.fetch_for_all(company.applications[3], {"shared": 1}, lacked_by, list)
    assert fetched == ["shared"]
    assert seen == ["4", "5", "6"]
    assert company.fetch_for_all(company.applications[5], {"shared": 1}, lacked_by, list) == ["shared", "7"]
    assert seen[3:] == ["6", "7", "8", "0", "1"]


def test_what_fails_together_is_done_alone_and_not_together_again():
    company = BatchFetcher(applications=[Application(root=Path(f"/{number}")) for number in range(2)])
    tried = []

    def fetch(keys):
        tried.append(sorted(keys))
        if len(keys) > 1:
            raise ValueError("a bug, or a build that nobody can make sense of")

    for one in company.applications:
        company.fetch_for_all(one, {one.name: 1}, lambda other: {other.name: 1}, fetch)
    assert tried == [["0", "1"], ["0"], ["1"]]


def everything_is_there(root, without=()):
    for number in range(NUMBER):
        if number not in without:
            assert versions(root / f"{number}/.venv") == {"alpha": "1.0", f"own{number}": "1.0"}
            assert inconsistencies(root / f"{number}/.venv") == []


@pytest.mark.parametrize("asked", [("--all",), ("--all", "-j", "1", "--inexact"), tuple(map(str, range(NUMBER)))])
def test_one_pip_fetches_what_all_of_them_lack(isolate, locked, index, asked):
    result = isolate("sync", "-v", *asked, cwd=locked)
    assert installed(result) == [["alpha", *(f"own{number}" for number in range(NUMBER))]]
    assert len(index.fetched()) == NUMBER + 1
    everything_is_there(locked)
    isolate("store", "verify")


def test_one_pip_learns_the_pins_of_all_of_them(isolate, application, index):
    for name in (*MANY_PINS, "own0", "own1", "own2"):
        build_wheel(index.folder, name, "1.0")
    for number in range(3):
        names = (*MANY_PINS, f"own{number}")
        application({"requirements.txt": "".join(f"{name}==1.0\n" for name in names)}, name=f"repo/{number}")
    root = application({}, name="repo")
    result = isolate("sync", "--all", "-v", cwd=root)
    assert installed(result) == [sorted((*MANY_PINS, "own0", "own1", "own2"))]
    assert len(index.fetched()) == len(MANY_PINS) + 3
    for number in range(3):
        assert versions(root / f"{number}/.venv") == dict.fromkeys((*MANY_PINS, f"own{number}"), "1.0")


def test_pins_with_hashes_are_learned_apart_from_those_without(isolate, application, index):
    wheels = [build_wheel(index.folder, name, "1.0") for name in (*MANY_PINS, "own0")]
    digests = {wheel.name.split("-")[0]: hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels}
    hashed = "".join(f"{name}==1.0 --hash=sha256:{digest}\n" for name, digest in digests.items())
    application({"requirements.txt": "".join(f"{name}==1.0\n" for name in MANY_PINS)}, name="repo/0")
    application({"requirements.txt": hashed}, name="repo/1")
    result = isolate("sync", "--all", "-v", "-j", "1", cwd=application({}, name="repo"))
    assert installed(result) == [MANY_PINS, ["own0"]]


def test_versions_that_exclude_each_other_are_fetched_by_different_pips(isolate, application, index):
    for number, version in enumerate(("1.0", "1.1", "2.0")):
        application({"requirements.txt": f"alpha=={version}\ngamma==1.0\n"}, name=f"repo/{number}")
    root = application({}, name="repo")
    isolate("lock", "--all", "-q", cwd=root)
    index.requests.clear()
    result = isolate("sync", "--all", "-v", cwd=root)
    assert sorted(installed(result)) == [["alpha"], ["alpha"], ["alpha", "gamma"]]
    assert len(index.fetched()) == 4
    assert [versions(root / f"{number}/.venv")["alpha"] for number in range(3)] == ["1.0", "1.1", "2.0"]


@pytest.mark.parametrize("broken", [0, 3])
def test_an_artifact_that_cannot_be_had_fails_its_own_application_only(isolate, locked, index, broken):
    index.misbehave(f"^/files/own{broken}-", "wrong")
    result = isolate("sync", "--all", "-j", "1", cwd=locked, status=2)
    assert result.out.splitlines()[-1] == f"{NUMBER} applications: {NUMBER - 1} done, 1 failed"
    assert f"{broken}:\n  isolate: an artifact is not the one" in result.err
    assert index.fetched().count("own4-1.0-py3-none-any.whl") <= 2, "what failed is not tried again by each"
    everything_is_there(locked, without=[broken])
    index.behave()
    isolate("sync", "--all", cwd=locked)
    everything_is_there(locked)


def test_files_that_two_applications_need_from_different_distributions_are_no_failure(isolate, application, index):
    for number in range(2):
        build_wheel(index.folder, f"own{number}", "1.0", files={"both.py": f"number = {number}\n"})
        application({"requirements.txt": f"own{number}==1.0\n"}, name=f"repo/{number}")
    root = application({}, name="repo")
    isolate("lock", "--all", "-q", cwd=root)
    isolate("sync", "--all", cwd=root)
    for number in range(2):
        assert isolate("run", "--", "python", "-c", "import both; print(both.number)", cwd=root / str(number)).out == (
            f"{number}\n"
        )


def test_one_that_cannot_be_read_or_is_stale_or_leaves_it_open_is_for_itself(isolate, locked):
    (locked / "0/pyproject.toml").write_text("[project\n")
    (locked / "1/requirements.txt").write_text("alpha==2.0\n")
    (locked / "2/pylock.toml").unlink()
    result = isolate("sync", "--all", "-v", "-j", "1", cwd=locked, status=2)
    assert [line for line in result.err.splitlines() if "not valid TOML" in line]
    *together, exclusive_access = installed(result)
    assert sorted(name for names in together for name in names) == ["alpha", "alpha", "own3", "own4"]
    assert exclusive_access == ["own2"]
    assert versions(locked / "1/.venv") == {"alpha": "2.0"}
    everything_is_there(locked, without=[0, 1])


def test_nothing_is_fetched_from_where_its_application_would_not_look(isolate, locked, tmp_path):
    build_wheel(tmp_path / "other", "own1", "1.0")
    with LocalIndex(tmp_path / "other").serving() as other:
        (locked / "1/requirements.txt").write_text(f"--index-url {other.url}\nown1==1.0\n")
        (locked / "1/pylock.toml").unlink()
        isolate("lock", "-q", cwd=locked / "1")
        other.requests.clear()
        result = isolate("sync", "--all", "-v", "-j", "1", cwd=locked)
        assert installed(result) == [["alpha", "own0", "own2", "own3", "own4"], ["own1"]]
        assert len(other.fetched()) == 1


def test_what_the_environments_have_is_not_fetched_again(isolate, locked, index, cache):
    isolate("sync", "--all", "-q", cwd=locked)
    shutil.move(cache / "store-v1/entries", cache / "gone")
    for number in (1, 2):
        (locked / f"{number}/requirements.txt").write_text(f"alpha==1.{number - 1}\nown{number}==1.0\ndelta==1.0\n")
    isolate("lock", "--all", "-q", cwd=locked)
    index.requests.clear()
    isolate("sync", "--all", "-q", cwd=locked)
    assert sorted(index.fetched()) == ["alpha-1.1-py3-none-any.whl", "delta-1.0-py3-none-any.whl"]


def test_source_trees_are_everybody_s_own(isolate, application, locked, tmp_path):
    tree = build_tree(tmp_path / "tree", "tree", "1.0")
    application({"requirements.txt": f"alpha==1.0\n-e {tree}\n"}, name="repo/1")
    (locked / "1/pylock.toml").unlink()
    isolate("lock", "-q", cwd=locked / "1")
    result = isolate("sync", "--all", "-v", "-j", "1", cwd=locked)
    assert installed(result)[0] == ["alpha", "own0", "own2", "own3", "own4"]


@pytest.mark.parametrize("option", ["--offline", "--dry-run"])
def test_nothing_is_fetched_if_that_is_not_allowed(isolate, locked, index, option):
    isolate("sync", "--all", option, cwd=locked, status=None)
    assert index.requests == []


def test_only_what_was_asked_for_is_fetched(isolate, application, index):
    text = '[project]\nname = "{}"\ndependencies = ["{}==1.0"]\n[project.optional-dependencies]\nmore = ["{}==1.0"]\n'
    build_wheel(index.folder, "epsilon", "1.0")
    application({"pyproject.toml": text.format("a", "alpha", "delta")}, name="repo/a")
    application({"pyproject.toml": text.format("b", "gamma", "epsilon")}, name="repo/b")
    root = application({}, name="repo")
    isolate("lock", "--all", "-q", cwd=root)
    assert installed(isolate("sync", "--all", "-v", cwd=root)) == [["alpha", "gamma"]]
    assert installed(isolate("sync", "--all", "-v", "--extra", "more", cwd=root)) == [["delta", "epsilon"]]
