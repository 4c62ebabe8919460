"""The test kit keeps its promises: pip accepts what it builds, and no test can reach the user's files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest

from conftest import (
    PINS,
    PIP_FILE,
    TESTS,
    UNWANTED_VARIABLES,
    inconsistencies,
    states_of_pip,
    user_directories,
    versions,
)
from kit.index import LocalIndex
from kit.packages import build_sdist, build_tree, build_wheel


@pytest.fixture
def venv(tmp_path):
    """An environment without pip; the pip of this interpreter installs into it."""
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    return tmp_path / "venv"


def pip(venv, *arguments):
    command = [sys.executable, "-I", "-m", "pip", "--python", venv / "bin/python", "install", "--quiet", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def installed(venv, *arguments):
    done = pip(venv, *arguments)
    assert done.returncode == 0, done.stderr
    return versions(venv)


def python(venv, code):
    return subprocess.run([venv / "bin/python", "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_pip_installs_a_wheel_with_all_its_parts(venv, tmp_path):
    links = tmp_path / "links"
    build_wheel(links, "needed", "2.0")
    build_wheel(
        links,
        "shop-front",
        "1.0",
        files={"shop_front/__init__.py": "def main():\n    print('open')\n", "shop_front/logo.bin": b"\xff\x00\xfe"},
        requires=["needed>=1"],
        extras={"fast": ["quick"]},
        scripts={"shop": "shop_front:main"},
        data={"data/share/shop/menu.txt": "soup\n", "scripts/tool": "#!python\nprint('tool')\n"},
    )
    build_wheel(links, "quick", "3.0")
    result = installed(venv, "--no-index", "--find-links", links, "shop-front[fast]")
    assert result == {"shop_front": "1.0", "needed": "2.0", "quick": "3.0"}
    assert inconsistencies(venv) == []
    assert subprocess.run([venv / "bin/shop"], capture_output=True, text=True, check=True).stdout == "open\n"
    assert subprocess.run([venv / "bin/tool"], capture_output=True, text=True, check=True).stdout == "tool\n"
    assert (venv / "share/shop/menu.txt").read_text() == "soup\n"
    assert next(venv.glob("lib/*/site-packages/shop_front/logo.bin")).read_bytes() == b"\xff\x00\xfe"


def test_building_a_wheel_is_reproducible(tmp_path):
    first, second = (build_wheel(tmp_path / name, "alpha", "1.0").read_bytes() for name in ("first", "second"))
    assert first == second


@pytest.mark.parametrize(
    "damage",
    [lambda rows: [], lambda rows: [row.replace("sha256=", "sha256=x") for row in rows]],
    ids=["empty", "wrong hashes"],
)
def test_a_record_can_be_damaged(tmp_path, damage):
    good = build_wheel(tmp_path / "good", "alpha", "1.0")
    damaged = build_wheel(tmp_path / "damaged", "alpha", "1.0", record=damage)
    assert record_of(good) != record_of(damaged)
    assert record_of(damaged) == damage(record_of(good))


def record_of(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.read("alpha-1.0.dist-info/RECORD").decode().splitlines()


def test_pip_builds_an_sdist_without_a_network(venv, tmp_path):
    build_sdist(tmp_path / "links", "sourced", "1.0")
    assert installed(venv, "--no-index", "--find-links", tmp_path / "links", "sourced") == {"sourced": "1.0"}
    assert python(venv, "import sourced; print(sourced.__version__)") == "1.0"


def test_an_sdist_can_fail_to_build(venv, tmp_path):
    build_sdist(tmp_path / "links", "broken", "1.0", on_build="raise RuntimeError('out of luck')")
    done = pip(venv, "--no-index", "--find-links", tmp_path / "links", "broken")
    assert done.returncode != 0
    assert "out of luck" in done.stderr
    assert versions(venv) == {}


def test_a_source_tree_can_be_installed_editable(venv, tmp_path):
    tree = build_tree(tmp_path / "tree", "shop", "1.0")
    assert installed(venv, "--no-index", "--editable", tree) == {"shop": "1.0"}
    assert python(venv, "import shop; print(shop.__file__)") == str(tree / "src/shop/__init__.py")


def test_the_index_serves_its_directory_and_records_requests(venv, index):
    assert installed(venv, "--no-cache-dir", "beta") == {"alpha": "2.0", "beta": "2.0"}
    assert index.fetched() == ["beta-2.0-py3-none-any.whl", "alpha-2.0-py3-none-any.whl"]
    assert "/simple/beta/" in index.requests


def test_the_index_lists_the_python_requirement_of_a_wheel(venv, index):
    build_wheel(index.directory, "alpha", "9.0", requires_python=">=99")
    assert installed(venv, "alpha") == {"alpha": "2.0"}
    assert "alpha-9.0-py3-none-any.whl" not in index.fetched()


def test_the_index_can_demand_credentials(venv, tmp_path):
    build_wheel(tmp_path / "private", "alpha", "1.0")
    with LocalIndex(tmp_path / "private", credentials="me:hunter2").serving() as private:
        assert "401" in refusal(f"{private.url}alpha/")
        with_credentials = private.url.replace("//", "//me:hunter2@")
        assert installed(venv, "--index-url", with_credentials, "alpha") == {"alpha": "1.0"}


def refusal(url):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url, timeout=5)
    caught.value.close()
    return str(caught.value)


@pytest.mark.parametrize("fault", ["500", "cut", "wrong", "hang"])
def test_the_index_misbehaves_only_on_request(venv, index, fault):
    index.misbehave("^/files/delta", fault)
    short = ("--no-cache-dir", "--timeout", "1", "--retries", "0")
    done = pip(venv, *short, "delta")
    assert done.returncode != 0
    assert installed(venv, *short, "alpha") == {"alpha": "2.0"}
    index.behave()
    assert installed(venv, *short, "delta") == {"alpha": "2.0", "delta": "1.0"}


def test_requests_that_hang_end_with_the_index(tmp_path):
    build_wheel(tmp_path, "alpha", "1.0")
    ends = []

    def ask(url):
        with pytest.raises(OSError):  # noqa: PT011 - any of several ways to hang up
            urllib.request.urlopen(url, timeout=20)
        ends.append(time.monotonic())

    with LocalIndex(tmp_path).serving() as index:
        index.misbehave("alpha", "hang")
        waiting = threading.Thread(target=ask, args=[f"{index.url}alpha/"])
        waiting.start()
        while not index.requests:
            time.sleep(0.01)
        assert not ends
        stopped = time.monotonic()
    waiting.join(10)
    assert ends
    assert ends[0] - stopped < 5


def test_nothing_of_the_user_reaches_a_test(isolated_home, tmp_path):
    assert Path.home() == isolated_home
    assert isolated_home.is_relative_to(tmp_path)
    assert all(directory.is_relative_to(tmp_path) for directory in user_directories())
    assert Path(os.environ["ISOLATE_CACHE_DIR"]).is_relative_to(tmp_path)
    assert {name for name in os.environ if name.startswith(UNWANTED_VARIABLES)} == {
        "PIP_CONFIG_FILE",
        "ISOLATE_CACHE_DIR",
    }


def test_the_command_uses_only_the_cache_of_its_test(isolate, application, cache):
    isolate("sync", application({"requirements.txt": ""}))
    assert any((cache / "store-v1").iterdir())
    user_cache, _ = user_directories()
    assert not user_cache.exists()


def test_no_test_shares_files_with_the_next_but_those_of_pip(cache, seeded_cache):
    paths = [path for path in cache.rglob("*") if path.is_file()]
    shared = [str(path) for path in paths if path.samefile(seeded_cache / path.relative_to(cache))]
    assert shared == [str(path) for path in paths if PIP_FILE.search(str(path))]
    assert 0 < len(shared) < len(paths)


@pytest.mark.parametrize("damage", [lambda path: path.write_text("edited = True"), lambda path: path.chmod(0o600)])
def test_a_change_of_a_file_of_pip_that_tests_share_is_noticed(seeded_cache, tmp_path, damage):
    own = tmp_path / "own"
    shutil.copytree(seeded_cache, own, symlinks=True)
    before = states_of_pip(own)
    assert len(before) > 100
    assert states_of_pip(own) == before
    module = next(own.glob("store-v1/entries/*/pip-*/files/lib/*/site-packages/pip/__init__.py"))
    module.chmod(0o644)
    damage(module)
    assert states_of_pip(own) != before


@pytest.mark.store("warm")
def test_a_warm_store_needs_no_index(isolate, application, index):
    for number, requirements in enumerate(("alpha==1.0\n", "alpha==2.0\nbeta==2.0\n", *PINS)):
        app = application({"requirements.txt": requirements}, name=f"app{number}")
        isolate("sync", cwd=app)
        isolate("check", "--hash", cwd=app)
        assert index.requests == [], requirements


INNER = """
import json, pathlib

def test_that_leaves_the_cache_alone(): pass

def test_that_creates_directories(isolated_home):
    for path in json.loads(pathlib.Path(__file__).with_name("directories.json").read_text()):
        pathlib.Path(path).mkdir(parents=True)
"""


@pytest.mark.parametrize("changed", [(), (0,), (1,)], ids=["nothing", "cache", "state"])
def test_a_test_that_changes_a_directory_of_the_user_fails(tmp_path, isolated_home, changed):
    """Run pytest with the guard of these tests, in a different home."""
    strays = [str(user_directories()[number] / "stray") for number in changed]
    run = tmp_path / "run"
    shutil.copytree(TESTS / "kit", run / "kit")
    shutil.copy(TESTS / "conftest.py", run)
    (run / "test_inner.py").write_text(INNER)
    (run / "directories.json").write_text(json.dumps(strays))
    options = ["--rootdir", run, "--basetemp", tmp_path / "inner", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "-q", *options, run]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=run, env=environ, capture_output=True, text=True, timeout=100, check=False)
    assert "2 passed" in done.stdout
    assert ("a test has changed the user's cache or state" in done.stdout) is bool(changed)
    assert (done.returncode != 0) is bool(changed)
