"""What pip is told is what pip's documentation has, and runs in each pip that there is."""

from __future__ import annotations

import sys
from pathlib import Path

from isolate import process
from isolate.pip.command import download_argv, install_arguments, resolve_argv
from isolate.pip.report import read_report
from isolate.pip.settings import pip_environment
from kit.packages import build_wheel

PYTHON = Path("/venv/bin/python")


def test_pip_resolves_without_installing():
    argv = resolve_argv(PYTHON, requirements=[Path("a"), Path("b")], constraints=[Path("c")], report=Path("r"))
    assert argv[:5] == ("/venv/bin/python", "-I", "-m", "pip", "install")
    assert argv[5:9] == ("--dry-run", "--ignore-installed", "--report", "r")
    assert argv[9:] == ("--requirement", "a", "--requirement", "b", "--constraint", "c")


def test_pip_installs_exactly_what_it_is_given():
    argv = install_arguments(requirements=Path("pylock.toml"), prefix=Path("/scratch"))
    assert argv[0] == "install"
    assert {"--no-deps", "--no-compile", "--ignore-installed", "--no-warn-script-location"} <= set(argv)
    assert argv[-4:] == ("--prefix", "/scratch", "--requirement", "pylock.toml")


def test_pip_downloads_for_another_python():
    argv = download_argv(PYTHON, "pip", python_version="3.8", folder=Path("/seeds"))
    assert argv[:5] == ("/venv/bin/python", "-I", "-m", "pip", "download")
    assert argv[5:] == (
        *("--no-deps", "--only-binary", ":all:", "--python-version", "3.8"),
        *("--dest", "/seeds", "pip"),
    )


def run(argv, tmp_path, links):
    environ = pip_environment({"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(links), "HOME": "/nowhere"}, prefix=tmp_path)
    done = process.run(argv, env=environ, cwd=tmp_path)
    assert done.status == 0, done.errors
    return done


def test_pip_understands_all_three(tmp_path):
    links, python = tmp_path / "links", Path(sys.executable)
    build_wheel(links, "alpha", "1.0", requires=["beta"])
    build_wheel(links, "beta", "2.0", requires_python="<3.9")
    build_wheel(links, "beta", "1.0")
    wanted, limits = tmp_path / "requirements.txt", tmp_path / "constraints.txt"
    wanted.write_text("alpha\n")
    limits.write_text("beta<2\n")
    run(
        resolve_argv(python, requirements=[wanted], constraints=[limits], report=tmp_path / "r"),
        tmp_path,
        links,
    )
    assert [one.name for one in read_report((tmp_path / "r").read_text())] == ["alpha", "beta"]
    arguments = install_arguments(requirements=wanted, prefix=tmp_path / "prefix")
    run((python, "-I", "-m", "pip", *arguments), tmp_path, links)
    assert [path.parent.name for path in tmp_path.glob("prefix/lib/*/site-packages/*/__init__.py")] == ["alpha"]
    run(download_argv(python, "beta", python_version="3.8", folder=tmp_path / "seeds"), tmp_path, links)
    assert [path.name for path in (tmp_path / "seeds").iterdir()] == ["beta-2.0-py3-none-any.whl"]
