"""`sync --no-editable` installs source trees as copies, so that the environment needs nothing beside it."""

from __future__ import annotations

import shutil

import pytest

from kit.packages import BUILD_SYSTEM, build_tree, build_wheel

PROJECT = '[project]\nname = "own"\nversion = "1.0"\ndependencies = ["lib @ {}"]\n'


@pytest.fixture
def app(tmp_path, index):
    """Return an application that is a package, with a dependency on a source tree elsewhere."""
    del index
    lib = build_tree(tmp_path / "lib", "lib", "1.0")
    app = build_tree(tmp_path / "app", "own", "1.0")
    (app / "pyproject.toml").write_text(PROJECT.format(lib.as_uri()) + BUILD_SYSTEM.format(requires=""))
    return app


def imported(isolate, app, *options):
    """Return the files that the application and its dependency are imported from."""
    code = "import own, lib; print(own.__file__); print(lib.__file__)"
    return isolate("run", *options, "--", "python", "-c", code, cwd=app).out.split()


def test_the_environment_works_without_the_trees(isolate, app, tmp_path):
    isolate("sync", "--no-editable", cwd=app)
    assert "OK: 2 packages" in isolate("check", cwd=app).out
    assert isolate("status", cwd=app).out.endswith("up to date: yes\n")
    assert "nothing to do" in isolate("sync", "--no-editable", cwd=app).out
    shutil.rmtree(tmp_path / "lib")
    for path in app.iterdir():
        if path.name != ".venv":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert all(path.startswith(str(app / ".venv/lib")) for path in imported(isolate, app, "--no-sync"))


def test_run_keeps_the_copies_and_a_plain_sync_does_not(isolate, app):
    isolate("sync", cwd=app)
    isolate("sync", "--no-editable", cwd=app)
    assert all(path.startswith(str(app / ".venv/lib")) for path in imported(isolate, app))
    assert "~ own" in isolate("sync", cwd=app).out
    assert "OK: 2 packages" in isolate("check", cwd=app).out


def test_a_changed_tree_is_built_again(isolate, app):
    isolate("sync", "--no-editable", cwd=app)
    isolate("lock", cwd=app)
    assert "nothing to do" in isolate("sync", "--no-editable", cwd=app).out
    shutil.rmtree(app / "prebuilt")
    build_wheel(app / "prebuilt", "own", "1.0", files={"own.py": "new = True\n"})
    assert "own" in isolate("check", cwd=app, status=1).out
    assert "~ own" in isolate("sync", "--no-editable", cwd=app).out
    assert isolate("run", "--", "python", "-c", "import own; print(own.new)", cwd=app).out == "True\n"


def test_what_a_build_leaves_in_the_tree_is_no_change(isolate, app):
    hook = "for name in 'build', 'own.egg-info': pathlib.Path(name).mkdir(exist_ok=True)\n"
    (app / "on_build.py").write_text(f"{hook}pathlib.Path('own.egg-info/PKG-INFO').write_text('x')\n")
    isolate("sync", "--no-editable", cwd=app)
    assert (app / "own.egg-info/PKG-INFO").exists()
    assert "OK: 2 packages" in isolate("check", cwd=app).out
    assert "nothing to do" in isolate("sync", "--no-editable", cwd=app).out
