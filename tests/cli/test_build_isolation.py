"""Packages that are built without isolation: in the application's environment, after what they need, never shared."""

from __future__ import annotations

import json
import os

import pytest

from conftest import inconsistencies, versions
from kit.packages import build_sdist, build_tree, build_wheel

NEEDS_ENGINE = """
import engine
import pathlib
log = pathlib.Path({log!r})
log.write_text((log.read_text() if log.exists() else "") + engine.__version__ + "\\n")
"""
PYPROJECT = '[project]\nname = "app"\ndependencies = [{dependencies}]\n[tool.{table}]\n{key} = ["Compiled_Thing"]\n'
TABLES = {"isolate": "no-build-isolation", "uv": "no-build-isolation-package"}


@pytest.fixture
def log(index, tmp_path):
    """Publish `compiled-thing`, which can only be built where `engine` is installed; return what its builds log to."""
    log = tmp_path / "built-with"
    for version in ("1.0", "2.0"):
        build_wheel(index.directory, "engine", version)
    build_sdist(
        index.directory, "compiled-thing", "1.0", requires=["engine"], on_build=NEEDS_ENGINE.format(log=str(log))
    )
    return log


def declare(application, *dependencies, table="isolate", name="app"):
    listed = ", ".join(f'"{dependency}"' for dependency in dependencies)
    text = PYPROJECT.format(dependencies=listed, table=table, key=TABLES[table])
    return application({"pyproject.toml": text}, name=name)


@pytest.mark.parametrize("table", TABLES)
def test_it_is_built_where_what_it_needs_is_installed(isolate, application, log, cache, table):
    app = declare(application, "engine==1.0", "compiled-thing", table=table)
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"engine": "1.0", "compiled_thing": "1.0"}
    assert set(log.read_text().split()) == {"1.0"}
    assert inconsistencies(app / ".venv") == []
    assert isolate("check", cwd=app).out.startswith("OK: ")
    assert not list(cache.glob("store-*/entries/*/compiled-thing-*")), "the store has it"
    built = log.read_text()
    assert "nothing to do" in isolate("sync", cwd=app).out
    isolate("sync", "--verify", cwd=app)
    assert log.read_text() == built, "it is not built again"


def test_no_other_application_gets_it(isolate, application, log):
    isolate("sync", cwd=declare(application, "engine==1.0", "compiled-thing"))
    built = log.read_text()
    other = declare(application, "engine==2.0", "compiled-thing", name="other")
    isolate("sync", cwd=other)
    assert log.read_text().removeprefix(built).split()[-1] == "2.0"
    third = application({"requirements.txt": "engine==1.0\ncompiled-thing==1.0\n"}, name="third")
    message = isolate("sync", cwd=third, status=2).err
    assert "compiled-thing could not be built" in message
    assert "No module named 'engine'" in message


def test_it_is_built_again_if_what_it_needs_changes(isolate, application, log):
    app = declare(application, "engine==1.0", "compiled-thing", "alpha==1.0")
    isolate("sync", cwd=app)
    built = log.read_text()
    declare(application, "engine==1.0", "compiled-thing", "alpha==2.0")
    isolate("sync", cwd=app)
    assert versions(app / ".venv")["alpha"] == "2.0"
    changes = json.loads(isolate("history", "--json", cwd=app).out)
    assert "compiled-thing" not in json.dumps(changes["generations"][0]["changes"]), "alpha has nothing to do with it"
    log.write_text("")
    declare(application, "engine==2.0", "compiled-thing", "alpha==2.0")
    isolate("sync", cwd=app)
    assert set(log.read_text().split()) == {"2.0"}
    assert "1.0" in built


def test_a_local_project_can_be_one(isolate, application, log, tmp_path):
    lib = build_tree(tmp_path / "lib", "lib", "1.0", on_build=NEEDS_ENGINE.format(log=str(log)))
    app = application({"requirements.txt": f"engine==1.0\nlib @ {lib.as_uri()}\n"})
    (app / "pyproject.toml").write_text('[tool.isolate]\nno-build-isolation = ["lib"]\n')
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"engine": "1.0", "lib": "1.0"}
    assert set(log.read_text().split()) == {"1.0"}


def test_a_wheel_of_it_is_shared_like_any_other(isolate, application, log, index, cache):
    build_wheel(index.directory, "compiled-thing", "1.0", requires=["engine"])
    app = declare(application, "engine==1.0", "compiled-thing")
    isolate("sync", cwd=app)
    assert list(cache.glob("store-*/entries/*/compiled-thing-*"))
    assert not log.exists()


def test_a_lost_environment_is_built_again_from_the_lock(isolate, application, log, index):
    app = declare(application, "engine==1.0", "compiled-thing")
    isolate("lock", cwd=app)
    index.requests.clear()
    isolate("sync", "--locked", cwd=app)
    assert versions(app / ".venv") == {"engine": "1.0", "compiled_thing": "1.0"}
    assert "compiled_thing-1.0.tar.gz" in index.fetched()
    os.rename(app / ".venv", app / "gone")
    isolate("sync", "--locked", cwd=app)
    assert versions(app / ".venv") == {"engine": "1.0", "compiled_thing": "1.0"}


def test_pins_in_a_requirements_file_are_resolved_without_building_them_first(isolate, application, log, index):
    for number in range(8):
        build_wheel(index.directory, f"filler{number}", "1.0")
    pins = "".join(f"filler{number}==1.0\n" for number in range(8))
    app = declare(application)
    (app / "requirements.txt").write_text(f"{pins}engine==1.0\ncompiled-thing==1.0\n")
    (app / "pyproject.toml").write_text('[tool.isolate]\nno-build-isolation = ["compiled-thing"]\n')
    isolate("sync", cwd=app)
    assert versions(app / ".venv")["compiled_thing"] == "1.0"
    assert not (app / "pylock.toml").exists()


def test_the_setting_of_pip_does_not_count_which_is_said(isolate, application, log, index):
    build_sdist(index.directory, "sigma", "1.0")
    app = application({"requirements.txt": "sigma==1.0\n"})
    message = isolate("sync", cwd=app, env={"PIP_NO_BUILD_ISOLATION": "0"}).err
    assert message.count("no-build-isolation does not count") == 1
    assert versions(app / ".venv") == {"sigma": "1.0"}
    other = application({"requirements.txt": "sigma==1.0\nalpha\n"}, name="other")
    assert "no-build-isolation" not in isolate("sync", cwd=other, env={"PIP_NO_BUILD_ISOLATION": "1"}).err


def test_what_only_another_package_needs_is_named_when_it_cannot_be_built(isolate, application, log, index):
    build_wheel(index.directory, "parent", "1.0", requires=["compiled-thing"])
    app = declare(application, "engine==1.0", "parent")
    message = isolate("sync", cwd=app, status=2).err
    assert "compiled-thing could not be built" in message
    assert "No module named 'engine'" in message


def test_a_command_that_only_looks_builds_nothing(isolate, application, log):
    app = declare(application, "engine==1.0", "compiled-thing")
    isolate("sync", "--dry-run", cwd=app, status=None)
    isolate("lock", "--check", cwd=app, status=None)
    isolate("check", cwd=app, status=1)
    assert not log.exists()


def test_packages_with_a_common_file_are_installed_where_it_is_built(isolate, application, log, index):
    for name in ("one", "two"):
        files, scripts = {"common/__init__.py": f"name = '{name}'\n"}, {"pip": "common:name"}
        build_wheel(index.directory, name, "1.0", files=files, scripts=scripts)
    app = declare(application, "engine==1.0", "compiled-thing", "one", "two")
    isolate("sync", cwd=app)
    assert set(versions(app / ".venv")) == {"engine", "compiled_thing", "one", "two"}
    assert isolate("check", cwd=app).out.startswith("OK: ")
