"""Where something moves and the rest stays, pip is asked about what moves, and about nothing else."""

from __future__ import annotations

import pytest

from conftest import versions
from kit.packages import build_wheel
from kit.toml import tomllib


def project(*lines):
    return {"pyproject.toml": f"[project]\nname = 'app'\nversion = '1'\ndependencies = {list(lines)!r}\n"}


def asked(index):
    return {path.split("/")[2] for path in index.requests if path.startswith("/simple/")}


def locked(app):
    return {one["name"]: one["version"] for one in tomllib.loads((app / "pylock.toml").read_text())["packages"]}


@pytest.fixture
def app(isolate, application, index):
    """An application in step, whose lock has alpha 1.1, beta 1.0 (which allows alpha below 2) and delta 1.0."""
    root = application(project("beta<2", "delta"))
    isolate("sync", cwd=root)
    assert locked(root) == {"alpha": "1.1", "beta": "1.0", "delta": "1.0"}
    build_wheel(index.folder, "delta", "1.1")
    index.requests.clear()
    return root


def test_what_moves_is_asked_for_alone_and_the_rest_stays(isolate, application, app, index):
    application(project("beta<2", "delta>=1.1"))
    assert "resolving" not in isolate("lock", cwd=app).err
    assert asked(index) == {"delta"}
    assert locked(app) == {"alpha": "1.1", "beta": "1.0", "delta": "1.1"}
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == locked(app)
    isolate("check", cwd=app)


def test_an_upgrade_of_one_asks_for_it_alone(isolate, app, index):
    isolate("lock", "--upgrade-package", "delta", cwd=app)
    assert asked(index) == {"delta"}
    assert locked(app)["delta"] == "1.1"


def test_who_goes_takes_along_what_only_it_needed_and_nobody_is_asked(isolate, application, app, index):
    application(project("delta"))
    isolate("lock", cwd=app)
    assert index.requests == []
    assert locked(app) == {"delta": "1.0"}


def test_what_comes_and_needs_only_what_is_there_is_asked_for_alone(isolate, application, app, index):
    build_wheel(index.folder, "epsilon", "1.0", requires=["alpha>=1"])
    application(project("beta<2", "delta", "epsilon"))
    isolate("lock", cwd=app)
    assert asked(index) == {"epsilon"}
    assert locked(app) == {"alpha": "1.1", "beta": "1.0", "delta": "1.0", "epsilon": "1.0"}


def test_what_needs_more_than_is_there_is_resolved(isolate, application, app, index):
    build_wheel(index.folder, "zeta", "1.0", requires=["gamma"])
    application(project("beta<2", "delta", "zeta"))
    assert "resolving" in isolate("lock", cwd=app).err
    assert locked(app) == {"alpha": "1.1", "beta": "1.0", "delta": "1.0", "gamma": "1.0", "zeta": "1.0"}


def test_what_does_not_go_with_what_stays_is_resolved(isolate, application, app):
    application(project("beta>=2", "delta"))
    assert "resolving" in isolate("lock", cwd=app).err
    assert locked(app)["alpha"] == locked(app)["beta"] == "2.0"


def test_what_is_not_to_be_had_is_explained_by_the_resolver(isolate, application, app):
    application(project("beta<2", "delta>=7"))
    assert "delta" in isolate("lock", cwd=app, status=2).err
    assert locked(app)["delta"] == "1.0"


def test_it_is_the_lock_that_resolving_gives(isolate, application, app, tmp_path, index):
    declared = project("beta<2", "delta>=1.1")
    application(declared)
    isolate("lock", cwd=app)
    afresh = application(declared, name="afresh")
    assert "resolving" in isolate("lock", cwd=afresh).err
    assert (afresh / "pylock.toml").read_text() == (app / "pylock.toml").read_text()
