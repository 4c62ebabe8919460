from __future__ import annotations

import json
import subprocess
import sys

import pytest

from conftest import versions
from kit.packages import build_wheel
from kit.toml import tomllib


def locked(app):
    return tomllib.loads((app / "pylock.toml").read_text())


def test_a_lock_has_hashes_and_dependencies(isolate, application, index):
    app = application({"requirements.txt": "beta\n"})
    isolate("lock", cwd=app)
    lock = locked(app)
    packages = {package["name"]: package for package in lock["packages"]}
    assert lock["lock-version"] == "1.0"
    assert set(packages) == {"alpha", "beta"}
    assert packages["beta"]["dependencies"] == [{"name": "alpha"}]
    assert len(packages["alpha"]["wheels"][0]["hashes"]["sha256"]) == 64
    assert not (app / ".venv").exists()


def test_locking_again_writes_the_same_bytes(isolate, application, index):
    app = application({"requirements.txt": "beta\n"})
    isolate("lock", cwd=app)
    first = (app / "pylock.toml").read_bytes()
    assert "up to date: " in isolate("lock", cwd=app).out
    (app / "pylock.toml").unlink()
    isolate("lock", cwd=app)
    assert (app / "pylock.toml").read_bytes() == first


def test_a_package_for_an_extra_or_a_group_has_a_marker(isolate, application, index):
    text = '[project]\nname = "app"\nversion = "1"\ndependencies = ["alpha"]\n'
    text += '[project.optional-dependencies]\nfast = ["gamma"]\n[dependency-groups]\ndev = ["delta", "alpha"]\n'
    app = application({"pyproject.toml": text})
    isolate("lock", cwd=app)
    markers = {package["name"]: package.get("marker") for package in locked(app)["packages"]}
    assert markers == {"alpha": None, "gamma": '"fast" in extras', "delta": '"dev" in dependency_groups'}
    assert locked(app)["default-groups"] == ["dev"]


def test_lock_check_reports_a_stale_lock_by_its_exit_code(isolate, application, index):
    app = application({"requirements.txt": "beta\n"})
    assert "there is no lock" in isolate("lock", "--check", cwd=app, status=1).out
    isolate("lock", cwd=app)
    assert "up to date" in isolate("lock", "--check", cwd=app).out
    application({"requirements.txt": "beta\ndelta\n"})
    assert "delta (requirements.txt:2) is not locked" in isolate("lock", "--check", cwd=app, status=1).out
    application({"requirements.txt": "alpha\n"})
    assert "beta is locked but no longer required" in isolate("lock", "--check", cwd=app, status=1).out


def test_locked_versions_are_kept_until_a_declaration_or_an_option_changes_them(isolate, application, index):
    app = application({"requirements.txt": "alpha\ndelta\n"})
    isolate("lock", cwd=app)
    build_wheel(index.directory, "alpha", "3.0")
    build_wheel(index.directory, "delta", "3.0")
    application({"requirements.txt": "alpha\ndelta\ngamma\n"})
    assert "+ gamma 1.0" in isolate("lock", cwd=app).out
    assert "~ alpha 2.0 → 3.0" in isolate("lock", "--upgrade-package", "alpha", cwd=app).out
    document = json.loads(isolate("lock", "--upgrade", "--json", cwd=app).out)
    assert document["changes"] == ["~ delta 1.0 → 3.0"]


def test_a_changed_pin_changes_the_versions_of_its_dependencies(isolate, application, index):
    app = application({"requirements.txt": "beta<2\n"})
    isolate("lock", cwd=app)
    application({"requirements.txt": "beta>=2\n"})
    assert isolate("lock", cwd=app).out.splitlines()[:2] == ["~ alpha 1.1 → 2.0", "~ beta 1.0 → 2.0"]


def test_pip_and_uv_install_from_the_lock(isolate, application, index, tmp_path):
    app = application({"requirements.txt": "beta\n"})
    isolate("lock", cwd=app)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "other"], check=True)
    command = [sys.executable, "-m", "pip", "--python", tmp_path / "other", "install", "-q", "-r", app / "pylock.toml"]
    subprocess.run(command, check=True, capture_output=True)
    assert versions(tmp_path / "other") == {"alpha": "2.0", "beta": "2.0"}


def test_an_invalid_lock_is_named(isolate, application, index):
    app = application({"requirements.txt": "beta\n", "pylock.toml": "lock-version = '1.0'\n"})
    message = isolate("sync", cwd=app, status=2).err
    assert str(app / "pylock.toml") in message
    assert "created-by" in message


def test_a_lock_of_another_tool_is_used(isolate, application, index, tmp_path):
    app = application({"requirements.txt": "beta\n"})
    command = [sys.executable, "-m", "pip", "lock", "-q", "-r", app / "requirements.txt", "-o", app / "pylock.toml"]
    subprocess.run(command, check=True, capture_output=True)
    before = (app / "pylock.toml").read_bytes()
    isolate("sync", "--locked", cwd=app)
    assert versions(app / ".venv") == {"alpha": "2.0", "beta": "2.0"}
    assert (app / "pylock.toml").read_bytes() == before


@pytest.mark.parametrize("command", [["lock", "--check"], ["check"]])
def test_lock_check_needs_no_network(isolate, application, index, command):
    app = application({"requirements.txt": "beta\n"})
    isolate("sync", cwd=app)
    asked = len(index.requests)
    isolate(*command, cwd=app)
    assert len(index.requests) == asked


def test_a_pin_may_have_trailing_zeros(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0.0\ndelta==1\n"})
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0", "delta": "1.0"}
    assert not (app / "pylock.toml").exists()


def test_a_deleted_lock_is_written_again_if_it_is_needed(isolate, application, index):
    app = application({"requirements.txt": "beta\n"})
    isolate("sync", cwd=app)
    before = (app / "pylock.toml").read_bytes()
    (app / "pylock.toml").unlink()
    build_wheel(index.directory, "alpha", "3.0")
    assert "there is no lock" in isolate("sync", "--locked", cwd=app, status=2).err
    assert "wrote pylock.toml" in isolate("sync", cwd=app).out
    assert (app / "pylock.toml").read_bytes() == before


def test_an_invalid_requires_python_of_a_package_is_ignored(isolate, application, index):
    build_wheel(index.directory, "old", "1.0", requires_python=">=3.6.*")
    app = application({"requirements.txt": "old\n"})
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"old": "1.0"}


def test_complete_pins_satisfy_locked_and_check_without_a_lock(isolate, application, index, tmp_path):
    app = application({"requirements.txt": "beta==1.0\nalpha==1.1\n"})
    assert isolate("lock", "--check", cwd=app).out == "everything is pinned: pylock.toml is not needed\n"
    assert [path.name for path in app.iterdir()] == ["requirements.txt"]
    isolate("sync", "--locked", cwd=app, env={"ISOLATE_CACHE_DIR": str(tmp_path / "another machine")})
    assert versions(app / ".venv") == {"alpha": "1.1", "beta": "1.0"}
    assert not (app / "pylock.toml").exists()
    isolate("sync", "--frozen", cwd=application({"requirements.txt": "delta==1.0\n"}, name="other"), status=2)


def test_incomplete_pins_need_a_lock(isolate, application, index):
    app = application({"requirements.txt": "beta==1.0\n"})
    expected = ["there is no lock", "not pinned: alpha"]
    assert isolate("lock", "--check", cwd=app, status=1).out.splitlines() == expected
    message = isolate("sync", "--locked", cwd=app, status=2).err
    assert all(line in message for line in expected)
    assert [path.name for path in app.iterdir()] == ["requirements.txt"]


EXTRAS = {
    "of what is declared": ("gamma[speed]==1.0\n", "gamma==1.0\n", {"gamma": "1.0"}),
    "of what that needs": ("top==1.0\nother==1.0\n", "other==1.0\n", {"gamma": "1.0", "other": "1.0"}),
}


@pytest.mark.parametrize("kind", EXTRAS)
def test_a_package_that_only_an_extra_needs_is_removed_with_the_extra(isolate, application, index, kind):
    build_wheel(index.directory, "top", "1.0", requires=["gamma[speed]"])
    build_wheel(index.directory, "other", "1.0", requires=["gamma"])
    before, after, expected = EXTRAS[kind]
    app = application({"requirements.txt": before})
    isolate("sync", cwd=app)
    isolate("check", cwd=app)
    assert "delta" in versions(app / ".venv")
    application({"requirements.txt": after})
    assert "delta is locked but no longer required" in isolate("check", cwd=app, status=1).out
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == expected
    isolate("check", cwd=app)


def test_a_package_that_something_else_needs_too_stays_without_the_extra(isolate, application, index):
    app = application({"requirements.txt": "gamma[speed]==1.0\ndelta==1.0\n"})
    isolate("sync", cwd=app)
    application({"requirements.txt": "gamma==1.0\ndelta==1.0\n"})
    isolate("check", cwd=app)


def test_merge_conflict_markers_in_a_lock_are_reported_with_their_line(isolate, application, index):
    app = application({"requirements.txt": "beta\n"})
    isolate("sync", cwd=app)
    before = (app / "pylock.toml").read_text()
    for command in ("lock", "sync"):
        (app / "pylock.toml").write_text("created-by = 'isolate'\n<<<<<<< HEAD\n" + before)
        message = isolate(command, cwd=app, status=2).err
        assert f"{app / 'pylock.toml'}:2: is not valid TOML" in message
        assert "isolate lock --upgrade" in message
        isolate(command, "--upgrade-package", "alpha", cwd=app, status=2)
        assert "wrote pylock.toml" in isolate(command, "--upgrade", cwd=app).out
        assert (app / "pylock.toml").read_text() == before


@pytest.mark.parametrize("command", ["lock", "sync"])
def test_only_locked_or_declared_packages_can_be_upgraded(isolate, application, index, command):
    app = application({"requirements.txt": "beta\n"})
    isolate("sync", cwd=app)
    assert (
        "cannot upgrade nosuch: not declared and not in the lock"
        in isolate(command, "--upgrade-package", "nosuch", cwd=app, status=2).err
    )
    assert "not a package name" in isolate(command, "--upgrade-package", "alpha==1.0", cwd=app, status=2).err
    isolate(command, "--upgrade-package", "Alpha", cwd=app)
    other = application({"requirements.txt": "delta\n"}, name="other")
    isolate(command, "--upgrade-package", "alpha", app, other)
    assert versions(app / ".venv") == {"alpha": "2.0", "beta": "2.0"}


def test_an_unchanged_lock_is_not_reported_as_written(isolate, application, index):
    app = application({"requirements.txt": "beta\n"})
    isolate("sync", cwd=app)
    assert "up to date: " in isolate("lock", "--upgrade", cwd=app).out
    assert json.loads(isolate("lock", "--upgrade-package", "alpha", "--json", cwd=app).out)["written"] is False
    document = json.loads(isolate("sync", "--upgrade", "--json", cwd=app).out)
    assert document["lock"]["written"] is False


def test_a_new_lock_is_explained_with_what_to_do_next(isolate, application, index):
    app = application({"requirements.txt": "beta\n"})
    assert "re-resolved" not in isolate("lock", cwd=app).out
    application({"requirements.txt": "beta\ndelta\n"})
    output = isolate("lock", cwd=app).out
    assert "re-resolved: delta (requirements.txt:2) is not locked" in output
    assert "`isolate sync`" in output
    application({"requirements.txt": "beta\ndelta\ngamma\n"})
    assert "re-resolved: gamma (requirements.txt:3) is not locked" in isolate("sync", cwd=app).out
