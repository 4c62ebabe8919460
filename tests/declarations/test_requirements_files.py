"""isolate reads requirements files as pip does: each test has both read the same file."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from conftest import versions
from kit.packages import build_sdist, build_tree, build_wheel


def installed_by_pip(root, file="requirements.txt"):
    """Return what pip would install for a requirements file if it ran in the application's directory."""
    options = ("--dry-run", "--ignore-installed", "--quiet", "--report", "-", "--requirement", file)
    argv = [sys.executable, "-Im", "pip", "install", *options]
    done = subprocess.run(argv, cwd=root, capture_output=True, text=True, check=True)
    items = json.loads(done.stdout)["install"]
    return {item["metadata"]["name"]: item["metadata"]["version"] for item in items}


def installed_by_sync(isolate, root):
    """Return what a sync installs, after ensuring that `check` and another sync find nothing wrong with it."""
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
def test_includes_mean_what_they_mean_to_pip(isolate, application, index, case):
    root = application(INCLUDES[case])
    assert installed_by_sync(isolate, root) == installed_by_pip(root)


@pytest.mark.parametrize("setting", [True, False])
@pytest.mark.parametrize("line", ["./lib", "-e ./lib", "lib/", "./requirements/../lib"])
def test_paths_are_relative_to_the_application_in_any_file(isolate, application, index, line, setting):
    root = application({"requirements/base.txt": f"{line}\n"})
    build_tree(root / "lib", "lib", "1.0")
    if setting:
        (root / "pyproject.toml").write_text('[tool.isolate]\nrequirements = ["requirements/base.txt"]\n')
    else:
        (root / "requirements.txt").write_text("-r requirements/base.txt\n")
    assert installed_by_sync(isolate, root) == installed_by_pip(root, "requirements/base.txt") == {"lib": "1.0"}


def test_a_path_relative_to_an_included_file_is_an_error_as_in_pip(isolate, application, index):
    root = application({"requirements.txt": "-r requirements/base.txt\n", "requirements/base.txt": "../lib\n"})
    build_tree(root / "lib", "lib", "1.0")
    with pytest.raises(subprocess.CalledProcessError):
        installed_by_pip(root)
    assert "requirements/base.txt:1: " in isolate("sync", cwd=root, status=2).err


@pytest.fixture
def wheels(application, monkeypatch):
    """An application with a directory of wheels, and without an index."""
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    root = application()
    for version in ("1.0", "2.0rc1"):
        build_wheel(root / "my wheels", "alpha", version)
    return root


ON_ONE_LINE = {
    "flags": "--pre --no-index --find-links='{wheels}'\nalpha\n",
    "values": "-f '{wheels}' --only-binary :all: --no-index\nalpha\n",
    "short, without a space": "-i http://127.0.0.1:9/ --no-index '-f{wheels}'\nalpha\n",
    "an include, and ignored options": "-r more.txt --pre -c none.txt\n--no-index -f '{wheels}'\n",
}


@pytest.mark.parametrize("case", ON_ONE_LINE)
def test_a_line_may_have_several_options(isolate, application, wheels, case):
    root = application(
        {"requirements.txt": ON_ONE_LINE[case].format(wheels=wheels / "my wheels"), "more.txt": "alpha\n"}
    )
    assert installed_by_sync(isolate, root) == installed_by_pip(root)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("--pre --index-url", "expected a value after --index-url"),
        ("--no-index=1", "expected a requirement, or an option"),
        ("--find-links 'w", "unbalanced quotes"),
        ("--pre alpha", "expected a requirement, or an option"),
        ("-x", "expected a requirement, or an option"),
        ("--index-url=", "expected a value after --index-url"),
    ],
)
def test_an_invalid_option_is_an_error(isolate, application, line, problem):
    root = application({"requirements.txt": f"{line}\n"})
    assert f"requirements.txt:1: `{line}`: {problem}" in isolate("sync", cwd=root, status=2).err


@pytest.mark.parametrize("links", ["./wheels", "../wheels", "wheels"])
def test_find_links_paths_apply_to_builds_too(isolate, application, monkeypatch, links):
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    root = application({"requirements/base.txt": f"--no-index\n--find-links {links}\nsourced\n"})
    wheels = root / ("wheels" if links == "../wheels" else "requirements/wheels")
    build_wheel(wheels, "backends", "1.0")
    build_sdist(wheels, "sourced", "1.0", build_requires=["backends"])
    (root / "requirements.txt").write_text("-r requirements/base.txt\n")
    assert installed_by_sync(isolate, root) == installed_by_pip(root) == {"sourced": "1.0"}


def test_find_links_paths_that_do_not_exist_beside_the_file_are_relative_to_the_application(
    isolate, application, monkeypatch
):
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    root = application({"requirements/base.txt": "--no-index\n--find-links wheels\nalpha\n"})
    build_wheel(root / "wheels", "alpha", "1.0")
    (root / "requirements.txt").write_text("-r requirements/base.txt\n")
    assert installed_by_sync(isolate, root) == installed_by_pip(root) == {"alpha": "1.0"}
