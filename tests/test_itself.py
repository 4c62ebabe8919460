"""A requirement with the project's own name means the project, never a package of that name in an index."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from conftest import versions
from kit.packages import build_tree, build_wheel

EXTRA = '[project.optional-dependencies]\ntest = ["delta==1.0", "mine[more]"]\nmore = ["gamma==1.0"]\n'


@pytest.fixture
def mine(application, index):
    """A project whose name is also that of a package in the index."""
    build_wheel(index.directory, "mine", "9.0", extras={"test": []})
    return build_tree(application(), "mine", "1.0", requires=["alpha==1.0"])


def declare(root, text):
    with (root / "pyproject.toml").open("a") as file:
        file.write(text)


@pytest.mark.parametrize("named", ["mine[test]", "Mine[TEST]==1.0", "mine[test,other]"])
def test_a_group_that_names_the_project_with_an_extra_installs_the_extra(isolate, mine, named):
    declare(mine, f'{EXTRA}[dependency-groups]\ndev = ["{named}"]\n')
    isolate("sync", cwd=mine)
    assert versions(mine / ".venv") == {"mine": "1.0", "alpha": "1.0", "delta": "1.0", "gamma": "1.0"}
    isolate("check", cwd=mine)
    isolate("sync", "--no-dev", cwd=mine)
    assert versions(mine / ".venv") == {"mine": "1.0", "alpha": "1.0"}


def test_a_group_that_names_the_project_alone_adds_nothing(isolate, mine):
    declare(mine, '[dependency-groups]\ndev = [{ include-group = "all" }]\nall = ["mine"]\n')
    isolate("sync", cwd=mine)
    assert versions(mine / ".venv") == {"mine": "1.0", "alpha": "1.0"}


def test_a_dynamic_extra_is_that_of_the_source_tree(isolate, mine):
    project = (mine / "pyproject.toml").read_text()
    dynamic = project.replace('version = "1.0"\n', 'version = "1.0"\ndynamic = ["optional-dependencies"]\n')
    (mine / "pyproject.toml").write_text(f'{dynamic}[dependency-groups]\ndev = ["mine[test]"]\n')
    for kind in ("prebuilt", "editable"):
        pointer = {"__editable__.mine.pth": f"{mine}/src\n"} if kind == "editable" else None
        build_wheel(mine / kind, "mine", "1.0", requires=["alpha==1.0"], extras={"test": ["delta==1.0"]}, files=pointer)
    isolate("sync", cwd=mine)
    assert versions(mine / ".venv") == {"mine": "1.0", "alpha": "1.0", "delta": "1.0"}
    isolate("check", cwd=mine)


def test_the_name_of_a_project_that_cannot_be_built_is_that_of_a_package(isolate, application, index):
    text = '[project]\nname = "alpha"\nversion = "0"\n[dependency-groups]\ndev = ["alpha==1.0"]\n'
    app = application({"pyproject.toml": text})
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0"}


def test_dynamic_dependencies_are_read_even_if_all_declared_packages_are_known(isolate, application, index):
    isolate("sync", application({"requirements.txt": "delta==1.0\n"}, name="first"))
    app = build_tree(application(), "mine", "1.0", requires=["alpha==1.0"])
    dynamic = '[project]\nname = "mine"\nversion = "1.0"\ndynamic = ["dependencies"]\n'
    (app / "pyproject.toml").write_text((app / "pyproject.toml").read_text().partition("[project]")[0] + dynamic)
    declare(app, '[dependency-groups]\ndev = ["delta==1.0"]\n')
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"mine": "1.0", "alpha": "1.0", "delta": "1.0"}


PATHS = ["two words", "a 'quoted' #1", 'one"half', "${HOME} 100%41"]


@pytest.mark.parametrize("name", PATHS)
def test_a_project_with_dynamic_dependencies_may_be_in_any_directory(isolate, application, index, name):
    app = build_tree(application(name=name), "mine", "1.0", requires=["alpha==1.0"])
    dynamic = '[project]\nname = "mine"\nversion = "1.0"\ndynamic = ["dependencies"]\n'
    (app / "pyproject.toml").write_text((app / "pyproject.toml").read_text().partition("[project]")[0] + dynamic)
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"mine": "1.0", "alpha": "1.0"}
    assert import_of_mine(isolate, app) == app / "src/mine/__init__.py"


@pytest.mark.parametrize("name", PATHS)
def test_a_project_with_index_options_may_be_in_any_directory(isolate, application, index, name):
    app = with_requirements(application(name=name), "--no-binary mine\nalpha==1.0\n")
    isolate("sync", cwd=app)
    assert import_of_mine(isolate, app) == app / "src/mine/__init__.py"


def test_a_project_needs_no_hash_in_hash_checking_mode(isolate, application, index):
    digest = hashlib.sha256((index.directory / "alpha-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    app = with_requirements(application(), f"--require-hashes\nalpha==1.0 --hash=sha256:{digest}\n")
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"mine": "1.0", "alpha": "1.0"}
    with (app / "requirements.txt").open("a") as file:
        file.write("delta==1.0\n")
    assert "hash" in isolate("sync", cwd=app, status=2).err


def with_requirements(app, text):
    """Make *app* a project whose requirements are in a requirements file."""
    build_tree(app, "mine", "1.0")
    declare(app, '[tool.isolate]\nrequirements = ["requirements.txt"]\n')
    (app / "requirements.txt").write_text(text)
    return app


def import_of_mine(isolate, app):
    code = "import mine; print(mine.__file__)"
    return Path(isolate("run", "--", "python", "-c", code, cwd=app).out.strip())
