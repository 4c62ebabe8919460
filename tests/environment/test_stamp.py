"""Whatever "nothing to do" depends on is looked at: a change of it is noticed by the next sync."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from conftest import SOURCE, versions
from isolate.environment.journal import add_step, remove_step
from isolate.environment.stamp.mtimes import UNKNOWN_MTIME, DirectoryMtimes, MoveTracker, directory_mtimes
from isolate.environment.stamp.read import up_to_date_message
from isolate.environment.stamp.variables import variable_line
from kit.packages import build_sdist, build_tree, build_wheel


def current(app):
    return up_to_date_message(str(app / ".venv"), variable_line)


def imported(isolate, app, expression, module):
    return isolate(
        "run", "--no-sync", "--", "python", "-c", f"import {module}; print({expression})", cwd=app
    ).out.strip()


def rebuild_wheel(folder, answer):
    return build_wheel(folder, "local", "1.0", files={"local.py": f"answer = {answer}\n"})


@pytest.mark.parametrize("declared", ["./wheels/{wheel}", "local @ file://{app}/wheels/{wheel}", "project"])
def test_a_local_wheel_that_was_built_again_is_noticed_by_check_and_by_sync(isolate, application, index, declared):
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
    assert imported(isolate, app, "local.answer", "local") == "2"
    isolate("check", cwd=app)
    assert "nothing to do" in isolate("sync", cwd=app).out


def test_an_environment_stays_what_it_is_when_a_local_wheel_that_is_in_the_store_is_gone(isolate, application, index):
    app = application()
    wheel = rebuild_wheel(app / "wheels", 1)
    application({"requirements.txt": f"local @ file://{wheel}\n"})
    isolate("sync", cwd=app)
    wheel.unlink()
    assert "nothing to do" in isolate("sync", cwd=app).out
    isolate("check", cwd=app)


@pytest.mark.parametrize("name", ["setup.py", "setup.cfg"])
def test_a_setup_file_of_the_application_itself_is_noticed(isolate, application, index, name):
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


def test_a_directory_in_the_lock_of_another_tool_is_noticed(isolate, application, index):
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


MEANWHILE = {
    "installs a package": "subprocess.run([{python!r}, '-Im', 'pip', 'install', '--no-index', {hand!r}], check=True)",
    "takes a module out of a package": "({site} / 'delta/__init__.py').unlink(missing_ok=True)",
    "takes a module out of site-packages": "({site} / 'single.py').unlink(missing_ok=True)",
    "edits the configuration": "pathlib.Path({python!r}).parents[1].joinpath('pyvenv.cfg').open('a').write('# mine')",
    "takes out a script": "pathlib.Path({python!r}).with_name('alpha').unlink(missing_ok=True)",
    "takes out a script where another arrives": "pathlib.Path({python!r}).with_name('alpha').unlink(missing_ok=True)",
}


@pytest.mark.parametrize("what", MEANWHILE)
def test_what_somebody_does_in_an_environment_while_a_sync_works_on_it_is_noticed(
    isolate, application, index, tmp_path, what
):
    kept = "alpha==1.0\ndelta==1.0\nsingle==1.0\n"
    build_wheel(index.folder, "single", "1.0", files={"single.py": ""})
    build_wheel(index.folder, "scripted", "1.0", scripts={"scripted": "scripted:main"})
    app = application({"requirements.txt": kept})
    isolate("sync", cwd=app)
    hand = build_wheel(tmp_path / "elsewhere", "hand", "1.0")
    python = str(app / ".venv/bin/python")
    site = f"next(pathlib.Path({str(app / '.venv')!r}).glob('lib/*/site-packages'))"
    done = MEANWHILE[what].format(python=python, hand=str(hand), site=site)
    build_sdist(index.folder, "made", "1.0", on_build=f"import pathlib, subprocess; {done}")
    arriving = "made==1.0\nscripted==1.0\n" if "arrives" in what else "made==1.0\n"
    application({"requirements.txt": kept + arriving})
    isolate("sync", cwd=app)
    isolate("check", cwd=app, status=1)
    isolate("sync", cwd=app)
    isolate("check", cwd=app)
    assert "hand" not in versions(app / ".venv")


def test_a_sync_that_changed_something_leaves_nothing_to_look_at(isolate, application, index):
    build_wheel(index.folder, "part", "1.0", files={"space/part.py": ""})
    build_wheel(index.folder, "other", "1.0", files={"space/other.py": ""})
    app = application({"requirements.txt": "alpha==1.0\npart==1.0\n"})
    isolate("sync", cwd=app)
    assert current(app)
    for wanted in (
        "alpha==1.1\npart==1.0\n",
        "alpha==1.1\npart==1.0\nother==1.0\n",
        "alpha==1.1\nother==1.0\n",
        "",
    ):
        application({"requirements.txt": wanted})
        assert current(app) is None
        isolate("sync", cwd=app)
        assert current(app), wanted


def test_a_directory_with_a_time_to_come_is_looked_at_until_it_has_another(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    package = next(app.glob(".venv/lib/*/site-packages/alpha"))
    tomorrow = time.time_ns() + 86_400 * 10**9
    os.utime(package, ns=(tomorrow, tomorrow))
    isolate("sync", cwd=app)
    (package / "__init__.py").unlink()
    isolate("sync", cwd=app)
    assert (package / "__init__.py").exists()
    assert current(app)


@pytest.mark.parametrize(("more", "known"), [((), True), (("taken", "brought"), True), (("hand",), False)])
def test_what_moves_during_a_switch_is_known_only_if_the_switch_moved_it(tmp_path, more, known):
    (tmp_path / "site/kept").mkdir(parents=True)
    (tmp_path / "site/taken").touch()
    for folder in ("site/kept", "site"):
        os.utime(tmp_path / folder, ns=(10**18, 10**18))
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


def test_what_moves_before_a_switch_and_after_the_look_is_not_known(tmp_path):
    (tmp_path / "site").mkdir()
    os.utime(tmp_path / "site", ns=(10**18, 10**18))
    before = directory_mtimes(tmp_path, ["site"])
    (tmp_path / "site/hand").touch()
    steps = [add_step("site/brought")]
    tracker = MoveTracker(tmp_path, ["site"], DirectoryMtimes(before), steps)
    assert tracker.mtimes() == {"site": UNKNOWN_MTIME}


def test_the_time_of_a_directory_that_changed_a_moment_ago_is_not_known(tmp_path):
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
def test_another_value_of_a_variable_that_a_requirements_file_names_is_noticed(isolate, application, index, files):
    app = application(files)
    isolate("sync", cwd=app, env={"ALPHA": "1.0"})
    assert "nothing to do" in isolate("sync", cwd=app, env={"ALPHA": "1.0"}).out
    isolate("sync", cwd=app, env={"ALPHA": "1.1"})
    assert versions(app / ".venv") == {"alpha": "1.1"}
    isolate("run", "--", "python", "-c", "", cwd=app, env={"ALPHA": "1.0"})
    assert versions(app / ".venv") == {"alpha": "1.0"}
    isolate("sync", cwd=app, status=2)


def test_the_value_of_a_variable_is_written_down_nowhere_and_the_answer_stays_quick(
    isolate, application, index, monkeypatch
):
    address = index.url.replace("//", "//me:${TOKEN}@")
    app = application({"requirements.txt": f"--extra-index-url {address}\n# ${{COMMENT}}\nalpha==1.0\n"})
    monkeypatch.setenv("TOKEN", "hunter2")
    isolate("sync", cwd=app)
    assert current(app)
    assert not [path for path in app.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert (app / ".venv/.isolate/stamp").stat().st_mode & 0o077 == 0
    monkeypatch.setenv("COMMENT", "is none of what counts")
    assert current(app)
    monkeypatch.setenv("TOKEN", "")
    assert current(app) is None
    monkeypatch.delenv("TOKEN")
    assert current(app) is None


def test_an_answer_that_depends_on_no_variable_does_without_digests(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    code = "import sys; from isolate import fast_path; sys.argv = ['isolate', 'sync']\n"
    code += "fast_path.main(); print(*sys.modules)"
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=app, env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("nothing to do")
    assert not {"hashlib", "isolate.environment.stamp.variables"} & {*done.stdout.split()}


def test_an_answer_depends_on_a_variable_that_an_address_in_pyproject_names(isolate, application, index, monkeypatch):
    address = index.url.replace("/simple/", "/files/alpha-${ALPHA}-py3-none-any.whl")
    text = f'[project]\nname = "app"\nversion = "1"\ndependencies = ["alpha @ {address}"]\n'
    app = application({"pyproject.toml": text})
    monkeypatch.setenv("ALPHA", "1.0")
    isolate("sync", cwd=app)
    assert current(app)
    monkeypatch.setenv("ALPHA", "1.1")
    assert current(app) is None
