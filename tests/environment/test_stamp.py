"""The next sync notices a change of anything that "nothing to do" depends on."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from conftest import SOURCE, versions
from isolate.environment.stamp.mtimes import UNKNOWN_MTIME, DirectoryMtimes, MoveTracker, directory_mtimes
from isolate.environment.stamp.read import up_to_date_message
from isolate.environment.stamp.variables import variable_line
from isolate.environment.steps import add_step, remove_step
from kit.packages import build_sdist, build_tree, build_wheel

pytestmark = pytest.mark.store("warm")


def stamp_message(app):
    return up_to_date_message(str(app / ".venv"), variable_line)


def evaluate(isolate, app, expression, module):
    return isolate(
        "run", "--no-sync", "--", "python", "-c", f"import {module}; print({expression})", cwd=app
    ).out.strip()


def rebuild_wheel(directory, answer):
    return build_wheel(directory, "local", "1.0", files={"local.py": f"answer = {answer}\n"})


@pytest.mark.parametrize("declared", ["./wheels/{wheel}", "local @ file://{app}/wheels/{wheel}", "project"])
def test_check_and_sync_notice_that_a_local_wheel_was_rebuilt(isolate, application, index, declared):
    app = application()
    wheel = rebuild_wheel(app / "wheels", 1)
    if declared == "project":
        text = f'[project]\nname = "app"\nversion = "1"\ndependencies = ["local @ file://{wheel}"]\n'
        application({"pyproject.toml": text})
    else:
        application({"requirements.txt": declared.format(app=app, wheel=wheel.name) + "\n"})
    isolate("sync", cwd=app)
    assert "nothing to do" in isolate("sync", cwd=app).out
    rebuild_wheel(app / "wheels", 2)
    assert "local" in isolate("check", cwd=app, status=1).out
    isolate("sync", cwd=app)
    assert evaluate(isolate, app, "local.answer", "local") == "2"
    isolate("check", cwd=app)
    assert "nothing to do" in isolate("sync", cwd=app).out


def test_an_environment_stays_if_a_local_wheel_in_the_store_is_deleted(isolate, application, index):
    app = application()
    wheel = rebuild_wheel(app / "wheels", 1)
    application({"requirements.txt": f"local @ file://{wheel}\n"})
    isolate("sync", cwd=app)
    wheel.unlink()
    assert "nothing to do" in isolate("sync", cwd=app).out
    isolate("check", cwd=app)


@pytest.mark.parametrize("name", ["setup.py", "setup.cfg"])
def test_a_new_setup_file_of_the_application_is_noticed(isolate, application, index, name):
    app = application()
    build_tree(app, "shop", "1.0")
    project = app / "pyproject.toml"
    project.write_text(project.read_text().replace("dependencies = []", 'dynamic = ["dependencies"]'))
    isolate("sync", cwd=app)
    assert "nothing to do" in isolate("sync", cwd=app).out
    (app / name).write_text("# another dependency, as the backend sees it\n")
    build_wheel(app / "editable", "shop", "1.0", requires=["delta"], files={"__editable__.shop.pth": f"{app}/src\n"})
    isolate("check", cwd=app, status=1)
    isolate("sync", cwd=app)
    assert set(versions(app / ".venv")) == {"shop", "delta"}
    isolate("check", cwd=app)


def test_a_change_of_a_directory_in_the_lock_of_another_tool_is_noticed(isolate, application, index):
    app = application()
    build_tree(app / "lib", "lib", "1.0")
    package = '[[packages]]\nname = "lib"\ndirectory = { path = "lib", editable = true }\n'
    application({"pylock.toml": f'lock-version = "1.0"\ncreated-by = "other"\n{package}'})
    isolate("sync", cwd=app)
    assert "nothing to do" in isolate("sync", cwd=app).out
    (app / "lib/setup.cfg").write_text("# another version, as the backend sees it\n")
    (app / "lib/editable/lib-1.0-py3-none-any.whl").unlink()
    build_wheel(app / "lib/editable", "lib", "2.0", files={"__editable__.lib.pth": f"{app}/lib/src\n"})
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"lib": "2.0"}


CONCURRENT_CHANGES = {
    "installs a package": "subprocess.run([{python!r}, '-Im', 'pip', 'install', '--no-index', {hand!r}], check=True)",
    "deletes a module of a package": "({site} / 'delta/__init__.py').unlink(missing_ok=True)",
    "deletes a module of site-packages": "({site} / 'single.py').unlink(missing_ok=True)",
    "edits the configuration": "pathlib.Path({python!r}).parents[1].joinpath('pyvenv.cfg').open('a').write('# mine')",
    "deletes a script": "pathlib.Path({python!r}).with_name('alpha').unlink(missing_ok=True)",
    "deletes a script where another is added": "pathlib.Path({python!r}).with_name('alpha').unlink(missing_ok=True)",
}


@pytest.mark.parametrize("change", CONCURRENT_CHANGES)
def test_a_change_of_the_environment_during_a_sync_is_noticed(isolate, application, index, tmp_path, change):
    kept = "alpha==1.0\ndelta==1.0\nsingle==1.0\n"
    build_wheel(index.directory, "single", "1.0", files={"single.py": ""})
    build_wheel(index.directory, "scripted", "1.0", scripts={"scripted": "scripted:main"})
    app = application({"requirements.txt": kept})
    isolate("sync", cwd=app)
    hand = build_wheel(tmp_path / "elsewhere", "hand", "1.0")
    python = str(app / ".venv/bin/python")
    site = f"next(pathlib.Path({str(app / '.venv')!r}).glob('lib/*/site-packages'))"
    code = CONCURRENT_CHANGES[change].format(python=python, hand=str(hand), site=site)
    build_sdist(index.directory, "made", "1.0", on_build=f"import pathlib, subprocess; {code}")
    added = "made==1.0\nscripted==1.0\n" if "added" in change else "made==1.0\n"
    application({"requirements.txt": kept + added})
    isolate("sync", cwd=app)
    isolate("check", cwd=app, status=1)
    isolate("sync", cwd=app)
    isolate("check", cwd=app)
    assert "hand" not in versions(app / ".venv")


def test_a_sync_that_changed_something_leaves_a_current_stamp(isolate, application, index):
    build_wheel(index.directory, "part", "1.0", files={"space/part.py": ""})
    build_wheel(index.directory, "other", "1.0", files={"space/other.py": ""})
    app = application({"requirements.txt": "alpha==1.0\npart==1.0\n"})
    isolate("sync", cwd=app)
    assert stamp_message(app)
    for requirements in (
        "alpha==1.1\npart==1.0\n",
        "alpha==1.1\npart==1.0\nother==1.0\n",
        "alpha==1.1\nother==1.0\n",
        "",
    ):
        application({"requirements.txt": requirements})
        assert stamp_message(app) is None
        isolate("sync", cwd=app)
        assert stamp_message(app), requirements


def test_a_directory_with_a_future_mtime_is_inspected_until_it_has_another(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    package = next(app.glob(".venv/lib/*/site-packages/alpha"))
    tomorrow = time.time_ns() + 86_400 * 10**9
    os.utime(package, ns=(tomorrow, tomorrow))
    isolate("sync", cwd=app)
    (package / "__init__.py").unlink()
    isolate("sync", cwd=app)
    assert (package / "__init__.py").exists()
    assert stamp_message(app)


@pytest.mark.parametrize(("more", "known"), [((), True), (("taken", "brought"), True), (("hand",), False)])
def test_an_mtime_is_known_after_the_steps_only_if_they_explain_every_change(tmp_path, more, known):
    (tmp_path / "site/kept").mkdir(parents=True)
    (tmp_path / "site/taken").touch()
    for directory in ("site/kept", "site"):
        os.utime(tmp_path / directory, ns=(10**18, 10**18))
    before = directory_mtimes(tmp_path, ["site", "site/kept"])
    steps = [remove_step("site/taken", 1), add_step("site/brought")]
    tracker = MoveTracker(tmp_path, ["site", "site/kept"], DirectoryMtimes(before), steps)
    (tmp_path / "site/taken").unlink()
    for name in ("brought", *more):
        (tmp_path / "site" / name).touch()
    after = {**before, **tracker.mtimes()}
    assert (after["site"] != UNKNOWN_MTIME) is known
    assert after["site/kept"] == before["site/kept"]
    if known:
        assert after == directory_mtimes(tmp_path, after)


def test_an_mtime_is_unknown_if_the_directory_changed_between_inspection_and_steps(tmp_path):
    (tmp_path / "site").mkdir()
    os.utime(tmp_path / "site", ns=(10**18, 10**18))
    before = directory_mtimes(tmp_path, ["site"])
    (tmp_path / "site/hand").touch()
    steps = [add_step("site/brought")]
    tracker = MoveTracker(tmp_path, ["site"], DirectoryMtimes(before), steps)
    assert tracker.mtimes() == {"site": UNKNOWN_MTIME}


def test_the_mtime_of_a_directory_that_has_just_changed_is_unknown(tmp_path):
    (tmp_path / "site").mkdir()
    assert directory_mtimes(tmp_path, ["site", "gone"]) == {"site": UNKNOWN_MTIME, "gone": UNKNOWN_MTIME}


@pytest.mark.parametrize(
    "files",
    [
        {"requirements.txt": "alpha==${ALPHA}\n"},
        {"requirements.txt": "-r deep.txt\n", "deep.txt": "alpha \\\n  ==${ALPHA}\n"},
        {"requirements.txt": "alpha<=2.0\n-c limits.txt\n", "limits.txt": "alpha==${ALPHA}\n"},
        {"requirements.txt": "-r ${ALPHA}.txt\n", "1.0.txt": "alpha==1.0\n", "1.1.txt": "alpha==1.1\n"},
    ],
)
def test_a_changed_variable_of_a_requirements_file_is_noticed(isolate, application, index, files):
    app = application(files)
    isolate("sync", cwd=app, env={"ALPHA": "1.0"})
    assert "nothing to do" in isolate("sync", cwd=app, env={"ALPHA": "1.0"}).out
    isolate("sync", cwd=app, env={"ALPHA": "1.1"})
    assert versions(app / ".venv") == {"alpha": "1.1"}
    isolate("run", "--", "python", "-c", "", cwd=app, env={"ALPHA": "1.0"})
    assert versions(app / ".venv") == {"alpha": "1.0"}
    isolate("sync", cwd=app, status=2)


def test_the_value_of_a_variable_is_not_recorded_and_the_stamp_stays_current(isolate, application, index, monkeypatch):
    url = index.url.replace("//", "//me:${TOKEN}@")
    app = application({"requirements.txt": f"--extra-index-url {url}\n# ${{COMMENT}}\nalpha==1.0\n"})
    monkeypatch.setenv("TOKEN", "hunter2")
    isolate("sync", cwd=app)
    assert stamp_message(app)
    assert not [path for path in app.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert (app / ".venv/.isolate/stamp").stat().st_mode & 0o077 == 0
    monkeypatch.setenv("COMMENT", "has no effect")
    assert stamp_message(app)
    monkeypatch.setenv("TOKEN", "")
    assert stamp_message(app) is None
    monkeypatch.delenv("TOKEN")
    assert stamp_message(app) is None


def test_a_stamp_without_variables_is_checked_without_hashlib(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    code = "import sys; from isolate import fast_path; sys.argv = ['isolate', 'sync']\n"
    code += "fast_path.main(); print(*sys.modules)"
    environ = {name: os.environ[name] for name in ("HOME", "PATH", "PIP_CONFIG_FILE")} | {"PYTHONPATH": str(SOURCE)}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=app, env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("nothing to do")
    assert not {"hashlib", "hmac", "platformdirs", "isolate.environment.stamp.variables"} & {*done.stdout.split()}


def test_a_changed_variable_in_a_url_of_pyproject_is_noticed(isolate, application, index, monkeypatch):
    url = index.url.replace("/simple/", "/files/alpha-${ALPHA}-py3-none-any.whl")
    text = f'[project]\nname = "app"\nversion = "1"\ndependencies = ["alpha @ {url}"]\n'
    app = application({"pyproject.toml": text})
    monkeypatch.setenv("ALPHA", "1.0")
    isolate("sync", cwd=app)
    assert stamp_message(app)
    monkeypatch.setenv("ALPHA", "1.1")
    assert stamp_message(app) is None
