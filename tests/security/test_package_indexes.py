"""A package that may come from one index alone never comes from another, whatever version that one offers."""

from __future__ import annotations

import pytest

from conftest import versions
from kit.index import LocalIndex
from kit.packages import build_wheel


@pytest.fixture
def private(tmp_path, index):
    """Return an index with a package that the public index has in a higher version, and nothing else."""
    build_wheel(index.directory, "corp-lib", "9.0")
    build_wheel(index.directory, "uses-corp", "1.0", requires=["corp-lib"])
    build_wheel(tmp_path / "private", "corp-lib", "1.0", requires=["alpha<2"])
    build_wheel(tmp_path / "private", "corp-lib", "1.1", requires=["alpha<2"])
    with LocalIndex(tmp_path / "private").serving() as serving:
        yield serving


WAYS = {
    "setting": '[tool.isolate]\nindexes = {{ Corp_Lib = "{url}" }}\n',
    "source": '[tool.uv.sources]\ncorp-lib = {{ index = "corp" }}\n'
    '[[tool.uv.index]]\nname = "corp"\nurl = "{url}"\nexplicit = true\n',
    "pdm": '[[tool.pdm.source]]\nname = "corp"\nurl = "{url}"\ninclude_packages = ["corp-lib"]\n',
}


@pytest.mark.parametrize("way", WAYS)
def test_a_package_comes_from_its_index_alone(isolate, application, private, way):
    text = '[project]\nname = "a"\ndependencies = ["uses-corp", "corp-lib"]\n' + WAYS[way].format(url=private.url)
    app = application({"pyproject.toml": text})
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"corp_lib": "1.1", "uses_corp": "1.0", "alpha": "1.1"}
    assert f'index = "{private.url}"' in (app / "pylock.toml").read_text()
    isolate("check", cwd=app)
    isolate("sync", "--locked", cwd=app)


def test_a_lock_with_the_package_of_another_index_is_out_of_date(isolate, application, private):
    text = '[project]\nname = "a"\ndependencies = ["uses-corp"]\n'
    app = application({"pyproject.toml": text})
    isolate("sync", cwd=app)
    assert versions(app / ".venv")["corp_lib"] == "9.0"
    application({"pyproject.toml": text + WAYS["setting"].format(url=private.url)})
    assert "another index" in isolate("check", cwd=app, status=1).out
    isolate("sync", cwd=app)
    assert versions(app / ".venv")["corp_lib"] == "1.1"


def test_an_index_without_the_package_is_an_error(isolate, application, private):
    text = '[project]\nname = "a"\ndependencies = ["corp-lib>2"]\n'
    app = application({"pyproject.toml": text + WAYS["setting"].format(url=private.url)})
    assert "may come from" in isolate("sync", cwd=app, status=2).err
    assert not (app / ".venv").exists()


def test_the_index_of_a_package_that_nothing_requires_may_fail(isolate, application, private):
    setting = WAYS["setting"].format(url="http://127.0.0.1:1/simple/")
    text = '[project]\nname = "a"\ndependencies = ["{}"]\n'
    app = application({"pyproject.toml": text.format("delta") + setting})
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"delta": "1.0"}
    application({"pyproject.toml": text.format("uses-corp") + setting})
    assert "127.0.0.1:1" in isolate("sync", cwd=app, status=2).err
    assert versions(app / ".venv") == {"delta": "1.0"}
