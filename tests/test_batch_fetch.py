"""What several applications of a command lack is fetched together; a failure affects only its own application."""

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

COUNT = 5
MANY_PINS = [f"shared{number}" for number in range(8)]


def installed_by_each_pip(result):
    """Return, for each run of pip, the sorted names of the packages that it installed."""
    lines = [line.partition("Installing collected packages: ")[2] for line in result.err.splitlines()]
    return [sorted(line.split(", ")) for line in lines if line]


@pytest.fixture
def applications(application, index):
    """A repository of applications; each has a package that no other has."""
    for number in range(COUNT):
        build_wheel(index.directory, f"own{number}", "1.0")
        application({"requirements.txt": f"alpha==1.0\nown{number}==1.0\n"}, name=f"repo/{number}")
    return application({}, name="repo")


@pytest.fixture
def locked(isolate, applications, index):
    """The same repository with locks. The store has none of the packages."""
    isolate("lock", "--all", "-q", cwd=applications)
    index.requests.clear()
    return applications


def test_the_search_starts_at_the_next_application_and_ends_when_several_in_a_row_lack_nothing_new():
    fetcher = BatchFetcher(applications=[Application(root=Path(f"/{number}")) for number in range(9)])
    seen = []

    def lacked_by(other):
        seen.append(other.name)
        if other.name == "5":
            raise KeyError("its own turn reports this")
        return {"shared": 1, "7": 1} if other.name == "7" else {"shared": 1}

    fetched = fetcher.fetch_for_all(fetcher.applications[3], {"shared": 1}, lacked_by, list)
    assert fetched == ["shared"]
    assert seen == ["4", "5", "6"]
    assert fetcher.fetch_for_all(fetcher.applications[5], {"shared": 1}, lacked_by, list) == ["shared", "7"]
    assert seen[3:] == ["6", "7", "8", "0", "1"]


def test_after_a_failed_batch_each_application_fetches_its_own():
    fetcher = BatchFetcher(applications=[Application(root=Path(f"/{number}")) for number in range(2)])
    attempts = []

    def fetch(keys):
        attempts.append(sorted(keys))
        if len(keys) > 1:
            raise ValueError("any error")

    for app in fetcher.applications:
        fetcher.fetch_for_all(app, {app.name: 1}, lambda other: {other.name: 1}, fetch)
    assert attempts == [["0", "1"], ["0"], ["1"]]


def assert_all_installed(root, without=()):
    for number in range(COUNT):
        if number not in without:
            assert versions(root / f"{number}/.venv") == {"alpha": "1.0", f"own{number}": "1.0"}
            assert inconsistencies(root / f"{number}/.venv") == []


@pytest.mark.parametrize("arguments", [("--all",), ("--all", "-j", "1", "--inexact"), tuple(map(str, range(COUNT)))])
def test_one_pip_fetches_what_all_of_them_lack(isolate, locked, index, arguments):
    result = isolate("sync", "-vv", *arguments, cwd=locked)
    assert installed_by_each_pip(result) == [["alpha", *(f"own{number}" for number in range(COUNT))]]
    assert len(index.fetched()) == COUNT + 1
    assert_all_installed(locked)
    isolate("store", "verify")


def test_one_pip_fetches_the_pins_of_all_of_them(isolate, application, index):
    for name in (*MANY_PINS, "own0", "own1", "own2"):
        build_wheel(index.directory, name, "1.0")
    for number in range(3):
        names = (*MANY_PINS, f"own{number}")
        application({"requirements.txt": "".join(f"{name}==1.0\n" for name in names)}, name=f"repo/{number}")
    root = application({}, name="repo")
    result = isolate("sync", "--all", "-vv", cwd=root)
    assert installed_by_each_pip(result) == [sorted((*MANY_PINS, "own0", "own1", "own2"))]
    assert len(index.fetched()) == len(MANY_PINS) + 3
    for number in range(3):
        assert versions(root / f"{number}/.venv") == dict.fromkeys((*MANY_PINS, f"own{number}"), "1.0")


def test_pins_with_hashes_are_fetched_apart_from_those_without(isolate, application, index):
    wheels = [build_wheel(index.directory, name, "1.0") for name in (*MANY_PINS, "own0")]
    digests = {wheel.name.split("-")[0]: hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels}
    hashed = "".join(f"{name}==1.0 --hash=sha256:{digest}\n" for name, digest in digests.items())
    application({"requirements.txt": "".join(f"{name}==1.0\n" for name in MANY_PINS)}, name="repo/0")
    application({"requirements.txt": hashed}, name="repo/1")
    result = isolate("sync", "--all", "-vv", "-j", "1", cwd=application({}, name="repo"))
    assert installed_by_each_pip(result) == [MANY_PINS, ["own0"]]


def test_different_versions_of_a_package_are_fetched_by_different_pips(isolate, application, index):
    for number, version in enumerate(("1.0", "1.1", "2.0")):
        application({"requirements.txt": f"alpha=={version}\ngamma==1.0\n"}, name=f"repo/{number}")
    root = application({}, name="repo")
    isolate("lock", "--all", "-q", cwd=root)
    index.requests.clear()
    result = isolate("sync", "--all", "-vv", cwd=root)
    assert sorted(installed_by_each_pip(result)) == [["alpha"], ["alpha"], ["alpha", "gamma"]]
    assert len(index.fetched()) == 4
    assert [versions(root / f"{number}/.venv")["alpha"] for number in range(3)] == ["1.0", "1.1", "2.0"]


@pytest.mark.parametrize("broken", [0, 3])
def test_a_bad_artifact_fails_only_its_own_application(isolate, locked, index, broken):
    index.misbehave(f"^/files/own{broken}-", "wrong")
    result = isolate("sync", "--all", "-j", "1", cwd=locked, status=2)
    assert result.out.splitlines()[-1] == f"{COUNT} applications: {COUNT - 1} updated, 1 failed"
    assert f"{broken}: error: hash mismatch: an artifact is not the one" in result.err
    assert index.fetched().count("own4-1.0-py3-none-any.whl") <= 2, "each application retried the failed download"
    assert_all_installed(locked, without=[broken])
    index.behave()
    isolate("sync", "--all", cwd=locked)
    assert_all_installed(locked)


def test_two_applications_may_have_one_file_from_different_distributions(isolate, application, index):
    for number in range(2):
        build_wheel(index.directory, f"own{number}", "1.0", files={"both.py": f"number = {number}\n"})
        application({"requirements.txt": f"own{number}==1.0\n"}, name=f"repo/{number}")
    root = application({}, name="repo")
    isolate("lock", "--all", "-q", cwd=root)
    isolate("sync", "--all", cwd=root)
    for number in range(2):
        assert isolate("run", "--", "python", "-c", "import both; print(both.number)", cwd=root / str(number)).out == (
            f"{number}\n"
        )


def test_an_application_that_is_unreadable_stale_or_unpinned_is_not_part_of_the_batch(isolate, locked):
    (locked / "0/pyproject.toml").write_text("[project\n")
    (locked / "1/requirements.txt").write_text("alpha==2.0\n")
    (locked / "2/pylock.toml").unlink()
    result = isolate("sync", "--all", "-vv", "-j", "1", cwd=locked, status=2)
    assert [line for line in result.err.splitlines() if "not valid TOML" in line]
    *batches, last = installed_by_each_pip(result)
    assert sorted(name for names in batches for name in names) == ["alpha", "alpha", "own3", "own4"]
    assert last == ["own2"]
    assert versions(locked / "1/.venv") == {"alpha": "2.0"}
    assert_all_installed(locked, without=[0, 1])


def test_nothing_is_fetched_from_the_index_of_another_application(isolate, locked, tmp_path):
    build_wheel(tmp_path / "other", "own1", "1.0")
    with LocalIndex(tmp_path / "other").serving() as other:
        (locked / "1/requirements.txt").write_text(f"--index-url {other.url}\nown1==1.0\n")
        (locked / "1/pylock.toml").unlink()
        isolate("lock", "-q", cwd=locked / "1")
        other.requests.clear()
        result = isolate("sync", "--all", "-vv", "-j", "1", cwd=locked)
        assert installed_by_each_pip(result) == [["alpha", "own0", "own2", "own3", "own4"], ["own1"]]
        assert len(other.fetched()) == 1


def test_packages_in_the_environments_are_not_fetched_again(isolate, locked, index, cache):
    isolate("sync", "--all", "-q", cwd=locked)
    shutil.move(cache / "store-v1/entries", cache / "gone")
    for number in (1, 2):
        (locked / f"{number}/requirements.txt").write_text(f"alpha==1.{number - 1}\nown{number}==1.0\ndelta==1.0\n")
    isolate("lock", "--all", "-q", cwd=locked)
    index.requests.clear()
    isolate("sync", "--all", "-q", cwd=locked)
    assert sorted(index.fetched()) == ["alpha-1.1-py3-none-any.whl", "delta-1.0-py3-none-any.whl"]


def test_source_trees_are_not_part_of_the_batch(isolate, application, locked, tmp_path):
    tree = build_tree(tmp_path / "tree", "tree", "1.0")
    application({"requirements.txt": f"alpha==1.0\n-e {tree}\n"}, name="repo/1")
    (locked / "1/pylock.toml").unlink()
    isolate("lock", "-q", cwd=locked / "1")
    result = isolate("sync", "--all", "-vv", "-j", "1", cwd=locked)
    assert installed_by_each_pip(result)[0] == ["alpha", "own0", "own2", "own3", "own4"]


@pytest.mark.parametrize("option", ["--offline", "--dry-run"])
def test_nothing_is_fetched_if_an_option_forbids_it(isolate, locked, index, option):
    isolate("sync", "--all", option, cwd=locked, status=None)
    assert index.requests == []


def test_only_the_requested_extras_are_fetched(isolate, application, index):
    text = '[project]\nname = "{}"\ndependencies = ["{}==1.0"]\n[project.optional-dependencies]\nmore = ["{}==1.0"]\n'
    build_wheel(index.directory, "epsilon", "1.0")
    application({"pyproject.toml": text.format("a", "alpha", "delta")}, name="repo/a")
    application({"pyproject.toml": text.format("b", "gamma", "epsilon")}, name="repo/b")
    root = application({}, name="repo")
    isolate("lock", "--all", "-q", cwd=root)
    assert installed_by_each_pip(isolate("sync", "--all", "-vv", cwd=root)) == [["alpha", "gamma"]]
    assert installed_by_each_pip(isolate("sync", "--all", "-vv", "--extra", "more", cwd=root)) == [["delta", "epsilon"]]
