"""If only some versions change, pip resolves these alone and the others keep their versions."""

from __future__ import annotations

import pytest

from conftest import versions
from kit.packages import build_wheel
from kit.toml import tomllib

FULL_RESOLUTION = "resolve: by pip: "
"""How `--verbose` starts the line about a resolution of everything."""


def project(*lines):
    return {"pyproject.toml": f"[project]\nname = 'app'\nversion = '1'\ndependencies = {list(lines)!r}\n"}


def requested_packages(index):
    return {path.split("/")[2] for path in index.requests if path.startswith("/simple/")}


def locked(app):
    return {
        package["name"]: package["version"] for package in tomllib.loads((app / "pylock.toml").read_text())["packages"]
    }


@pytest.fixture
def app(isolate, application, index):
    """Return an application up to date, with alpha 1.1, beta 1.0 (which requires alpha below 2) and delta 1.0."""
    root = application(project("beta<2", "delta"))
    isolate("sync", cwd=root)
    assert locked(root) == {"alpha": "1.1", "beta": "1.0", "delta": "1.0"}
    build_wheel(index.directory, "delta", "1.1")
    index.requests.clear()
    return root


def test_only_a_changed_requirement_is_looked_up(isolate, application, app, index):
    application(project("beta<2", "delta>=1.1"))
    assert FULL_RESOLUTION not in isolate("lock", "-v", cwd=app).err
    assert requested_packages(index) == {"delta"}
    assert locked(app) == {"alpha": "1.1", "beta": "1.0", "delta": "1.1"}
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == locked(app)
    isolate("check", cwd=app)


def test_an_upgrade_of_one_package_looks_up_that_package_alone(isolate, app, index):
    isolate("lock", "--upgrade-package", "delta", cwd=app)
    assert requested_packages(index) == {"delta"}
    assert locked(app)["delta"] == "1.1"


def test_a_removed_requirement_is_unlocked_with_its_dependencies_and_no_request(isolate, application, app, index):
    application(project("delta"))
    isolate("lock", cwd=app)
    assert index.requests == []
    assert locked(app) == {"delta": "1.0"}


def test_a_new_requirement_whose_dependencies_are_locked_is_looked_up_alone(isolate, application, app, index):
    build_wheel(index.directory, "epsilon", "1.0", requires=["alpha>=1"])
    application(project("beta<2", "delta", "epsilon"))
    isolate("lock", cwd=app)
    assert requested_packages(index) == {"epsilon"}
    assert locked(app) == {"alpha": "1.1", "beta": "1.0", "delta": "1.0", "epsilon": "1.0"}


def test_a_new_requirement_with_a_new_dependency_is_resolved(isolate, application, app, index):
    build_wheel(index.directory, "zeta", "1.0", requires=["gamma"])
    application(project("beta<2", "delta", "zeta"))
    assert FULL_RESOLUTION in isolate("lock", "-v", cwd=app).err
    assert locked(app) == {"alpha": "1.1", "beta": "1.0", "delta": "1.0", "gamma": "1.0", "zeta": "1.0"}


def test_a_requirement_that_conflicts_with_a_kept_version_is_resolved(isolate, application, app):
    application(project("beta>=2", "delta"))
    assert FULL_RESOLUTION in isolate("lock", "-v", cwd=app).err
    assert locked(app)["alpha"] == locked(app)["beta"] == "2.0"


def test_the_resolver_explains_a_version_that_does_not_exist(isolate, application, app):
    application(project("beta<2", "delta>=7"))
    assert "delta" in isolate("lock", cwd=app, status=2).err
    assert locked(app)["delta"] == "1.0"


def test_the_lock_is_the_same_as_that_of_a_full_resolve(isolate, application, app, tmp_path, index):
    declared = project("beta<2", "delta>=1.1")
    application(declared)
    isolate("lock", cwd=app)
    fresh = application(declared, name="fresh")
    assert FULL_RESOLUTION in isolate("lock", "-v", cwd=fresh).err
    assert (fresh / "pylock.toml").read_text() == (app / "pylock.toml").read_text()
