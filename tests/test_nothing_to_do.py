"""Whatever "nothing to do" depends on is looked at: a change of it is noticed by the next sync."""

from __future__ import annotations

import pytest

from conftest import versions
from kit.packages import build_tree, build_wheel


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
