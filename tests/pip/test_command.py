"""The command lines have the options that pip documents, and every pip here accepts them."""

from __future__ import annotations

import sys
from pathlib import Path

from isolate import process
from isolate.pip.command import download_argv, install_arguments, resolve_arguments
from isolate.pip.report import read_report
from isolate.pip.settings import pip_environment
from kit.packages import build_wheel

PYTHON = Path("/venv/bin/python")


def test_resolving_installs_nothing():
    arguments = resolve_arguments(requirements=[Path("a"), Path("b")], constraints=[Path("c")], report=Path("r"))
    assert arguments[:5] == ("install", "--dry-run", "--ignore-installed", "--report", "r")
    assert arguments[5:] == ("--requirement", "a", "--requirement", "b", "--constraint", "c")


def test_installing_takes_exactly_the_given_requirements():
    argv = install_arguments(requirements=Path("pylock.toml"), prefix=Path("/scratch"))
    assert argv[0] == "install"
    assert {"--no-deps", "--no-compile", "--ignore-installed", "--no-warn-script-location"} <= set(argv)
    assert argv[-4:] == ("--prefix", "/scratch", "--requirement", "pylock.toml")


def test_downloading_is_for_another_python():
    argv = download_argv(PYTHON, "pip", python_version="3.8", directory=Path("/seeds"))
    assert argv[:5] == ("/venv/bin/python", "-I", "-m", "pip", "download")
    assert argv[5:] == (
        *("--no-deps", "--only-binary", ":all:", "--python-version", "3.8"),
        *("--dest", "/seeds", "pip"),
    )


def run(argv, tmp_path, links):
    environ = pip_environment({"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(links), "HOME": "/nowhere"}, prefix=tmp_path)
    finished = process.run(argv, env=environ, cwd=tmp_path)
    assert finished.status == 0, finished.errors


def test_pip_accepts_all_three_commands(tmp_path):
    links, python = tmp_path / "links", Path(sys.executable)
    build_wheel(links, "alpha", "1.0", requires=["beta"])
    build_wheel(links, "beta", "2.0", requires_python="<3.9")
    build_wheel(links, "beta", "1.0")
    requirements, constraints, report = (tmp_path / name for name in ("requirements.txt", "constraints.txt", "report"))
    requirements.write_text("alpha\n")
    constraints.write_text("beta<2\n")

    arguments = resolve_arguments(requirements=[requirements], constraints=[constraints], report=report)
    run((python, "-I", "-m", "pip", *arguments), tmp_path, links)
    assert [item.name for item in read_report(report.read_text())] == ["alpha", "beta"]

    arguments = install_arguments(requirements=requirements, prefix=tmp_path / "prefix")
    run((python, "-I", "-m", "pip", *arguments), tmp_path, links)
    assert [path.parent.name for path in tmp_path.glob("prefix/lib/*/site-packages/*/__init__.py")] == ["alpha"]

    run(download_argv(python, "beta", python_version="3.8", directory=tmp_path / "seeds"), tmp_path, links)
    assert [path.name for path in (tmp_path / "seeds").iterdir()] == ["beta-2.0-py3-none-any.whl"]
