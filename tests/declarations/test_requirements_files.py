"""Requirements files mean to isolate what they mean to pip: each is read by both."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from conftest import versions
from kit.packages import build_sdist, build_tree, build_wheel


def by_pip(root, file="requirements.txt"):
    """Return what pip itself would install for a requirements file, from the directory of the application."""
    asked = ("--dry-run", "--ignore-installed", "--quiet", "--report", "-", "--requirement", file)
    argv = [sys.executable, "-Im", "pip", "install", *asked]
    done = subprocess.run(argv, cwd=root, capture_output=True, text=True, check=True)
    items = json.loads(done.stdout)["install"]
    return {item["metadata"]["name"]: item["metadata"]["version"] for item in items}


def holds(isolate, root):
    """Return what a sync installs, once it has been made sure that it is at peace with that."""
    isolate("sync", cwd=root)
    isolate("check", cwd=root)
    assert "nothing to do" in isolate("sync", "--verify", cwd=root).out
    return versions(root / ".venv")


INCLUDES = {
    "first as a constraint": {"requirements.txt": "-c more.txt\n-r more.txt\n", "more.txt": "alpha<2\ndelta\n"},
    "first as requirements": {"requirements.txt": "-r more.txt\n-c more.txt\nbeta\n", "more.txt": "alpha<2\n"},
    "below a constraint": {
        "requirements.txt": "-c more.txt\nalpha\n",
        "more.txt": "alpha<2\n-r deep.txt\n",
        "deep.txt": "delta\n",
    },
    "a constraint below requirements": {
        "requirements.txt": "-r more.txt\n",
        "more.txt": "alpha\n-c deep.txt\n",
        "deep.txt": "alpha<2\n",
    },
}


@pytest.mark.parametrize("case", INCLUDES)
def test_includes_count_as_they_do_to_pip(isolate, application, index, case):
    root = application(INCLUDES[case])
    assert holds(isolate, root) == by_pip(root)


@pytest.mark.parametrize("setting", [True, False])
@pytest.mark.parametrize("line", ["./lib", "-e ./lib", "lib/", "./requirements/../lib"])
def test_paths_are_meant_from_where_the_application_is_whichever_file_they_stand_in(
    isolate, application, index, line, setting
):
    root = application({"requirements/base.txt": f"{line}\n"})
    build_tree(root / "lib", "lib", "1.0")
    if setting:
        (root / "pyproject.toml").write_text('[tool.isolate]\nrequirements = ["requirements/base.txt"]\n')
    else:
        (root / "requirements.txt").write_text("-r requirements/base.txt\n")
    assert holds(isolate, root) == by_pip(root, "requirements/base.txt") == {"lib": "1.0"}


def test_a_path_from_the_file_that_it_stands_in_is_refused_by_pip_and_here(isolate, application, index):
    root = application({"requirements.txt": "-r requirements/base.txt\n", "requirements/base.txt": "../lib\n"})
    build_tree(root / "lib", "lib", "1.0")
    with pytest.raises(subprocess.CalledProcessError):
        by_pip(root)
    assert "requirements/base.txt:1: " in isolate("sync", cwd=root, status=2).err


@pytest.fixture
def wheels(application, monkeypatch):
    """An application with wheels of its own beside it, and no index at all."""
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    root = application()
    for version in ("1.0", "2.0rc1"):
        build_wheel(root / "my wheels", "alpha", version)
    return root


ON_ONE_LINE = {
    "flags": "--pre --no-index --find-links='{wheels}'\nalpha\n",
    "values": "-f '{wheels}' --only-binary :all: --no-index\nalpha\n",
    "short, without a blank": "-i http://127.0.0.1:9/ --no-index '-f{wheels}'\nalpha\n",
    "an include, and what is passed over": "-r more.txt --pre -c none.txt\n--no-index -f '{wheels}'\n",
}


@pytest.mark.parametrize("case", ON_ONE_LINE)
def test_several_options_may_stand_on_one_line(isolate, application, wheels, case):
    root = application(
        {"requirements.txt": ON_ONE_LINE[case].format(wheels=wheels / "my wheels"), "more.txt": "alpha\n"}
    )
    assert holds(isolate, root) == by_pip(root)


@pytest.mark.parametrize(
    "line", ["--pre --index-url", "--no-index=1", "--find-links 'w", "--pre alpha", "-x", "--index-url="]
)
def test_options_that_are_none_are_refused(isolate, application, line):
    root = application({"requirements.txt": f"{line}\n"})
    assert f"requirements.txt:1: `{line}`: expected " in isolate("sync", cwd=root, status=2).err


@pytest.mark.parametrize("links", ["./wheels", "../wheels", "wheels"])
def test_links_that_are_paths_hold_for_builds_too(isolate, application, monkeypatch, links):
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    root = application({"requirements/base.txt": f"--no-index\n--find-links {links}\nsourced\n"})
    wheels = root / ("wheels" if links == "../wheels" else "requirements/wheels")
    build_wheel(wheels, "backends", "1.0")
    build_sdist(wheels, "sourced", "1.0", build_requires=["backends"])
    (root / "requirements.txt").write_text("-r requirements/base.txt\n")
    assert holds(isolate, root) == by_pip(root) == {"sourced": "1.0"}


def test_links_that_are_no_path_beside_the_file_are_meant_from_the_application(isolate, application, monkeypatch):
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    root = application({"requirements/base.txt": "--no-index\n--find-links wheels\nalpha\n"})
    build_wheel(root / "wheels", "alpha", "1.0")
    (root / "requirements.txt").write_text("-r requirements/base.txt\n")
    assert holds(isolate, root) == by_pip(root) == {"alpha": "1.0"}
