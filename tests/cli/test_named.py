"""What is named with -r, -c, --python and --no-install-project is remembered for one environment alone."""

from __future__ import annotations

import json
import shutil
import sys

import pytest

from conftest import versions

LINE = "named for this .venv: "
DEVELOPMENT = {"requirements.txt": "alpha==1.0\n", "requirements/dev.txt": "-r ../requirements.txt\ndelta\n"}


def installed(app):
    return versions(app / ".venv")


@pytest.fixture
def app(application, index):
    del index
    return application(DEVELOPMENT)


def test_named_files_are_followed_until_they_are_forgotten(isolate, app):
    first = isolate("sync", "-r", "requirements/dev.txt", cwd=app)
    assert f"{LINE}-r requirements/dev.txt\n" in first.out
    assert installed(app) == {"alpha": "1.0", "delta": "1.0"}
    assert not (app / "pylock.toml").exists()
    for command in (["sync"], ["check"], ["status"]):
        assert f"{LINE}-r requirements/dev.txt" in isolate(*command, cwd=app).out
        assert json.loads(isolate(*command, "--json", cwd=app).out).get("named") in (["-r requirements/dev.txt"], None)
    assert f"{LINE}-r requirements/dev.txt\n" in isolate("run", "--", "true", cwd=app).err
    assert LINE not in isolate("run", "-q", "--", "true", cwd=app).err
    forgotten = isolate("sync", "--forget", cwd=app)
    assert LINE not in forgotten.out
    assert installed(app) == {"alpha": "1.0"}
    assert LINE not in isolate("sync", cwd=app).out


def test_a_change_of_a_named_file_is_noticed(isolate, app):
    isolate("sync", "-r", "requirements/dev.txt", "-c", "limits.txt", cwd=app, status=2)
    (app / "limits.txt").write_text("gamma<2\n")
    isolate("sync", "-r", "requirements/dev.txt", "-c", "limits.txt", cwd=app)
    assert "nothing to do" in isolate("sync", cwd=app).out
    (app / "requirements/dev.txt").write_text("gamma\n")
    assert isolate("check", cwd=app, status=1)
    isolate("sync", cwd=app)
    assert installed(app) == {"gamma": "1.0"}
    (app / "limits.txt").write_text("gamma<1\n")
    result = isolate("sync", cwd=app, status=2)
    assert "limits.txt" in result.err or "gamma" in result.err


def test_each_option_replaces_what_it_named(isolate, app):
    (app / "more.txt").write_text("delta\n")
    (app / "limits.txt").write_text("alpha<2\n")
    isolate("sync", "-r", "requirements/dev.txt", "-c", "limits.txt", cwd=app)
    result = isolate("sync", "-r", "more.txt", "-r", "requirements.txt", cwd=app)
    assert f"{LINE}-r more.txt, -r requirements.txt, -c limits.txt\n" in result.out
    assert f"{LINE}-r more.txt\n" in isolate("sync", "--forget", "-r", "more.txt", cwd=app).out
    assert installed(app) == {"delta": "1.0"}


def test_files_are_named_from_the_current_directory(isolate, app):
    isolate("sync", "..", "-r", "dev.txt", cwd=app / "requirements")
    assert installed(app) == {"alpha": "1.0", "delta": "1.0"}


def test_the_lock_the_list_and_the_conflicts_do_not_follow(isolate, app):
    (app / "requirements.txt").write_text("alpha\n")
    key = isolate("list", "--json", cwd=app).out
    isolate("sync", "-r", "requirements/dev.txt", cwd=app)
    assert isolate("list", "--json", cwd=app).out == key
    assert "delta" not in isolate("conflicts", "--json", cwd=app).out
    isolate("lock", cwd=app)
    assert "delta" not in (app / "pylock.toml").read_text()
    assert installed(app) == {"alpha": "2.0", "delta": "1.0"}
    assert "nothing to do" in isolate("sync", cwd=app).out  # the lock is about other declarations
    isolate("sync", "--locked", cwd=app)
    assert installed(app) == {"alpha": "2.0"}
    assert LINE not in isolate("sync", cwd=app).out


def test_named_files_keep_the_versions_of_the_lock(isolate, app):
    (app / "requirements.txt").write_text("alpha<2\n")
    isolate("lock", cwd=app)
    (app / "requirements.txt").write_text("alpha\n")
    isolate("sync", "-r", "requirements/dev.txt", cwd=app)
    assert installed(app) == {"alpha": "1.1", "delta": "1.0"}


def test_the_versions_of_named_files_stay(isolate, app, index):
    (app / "requirements.txt").write_text("beta<2\n")
    isolate("sync", "-r", "requirements/dev.txt", cwd=app)
    assert installed(app) == {"alpha": "1.1", "beta": "1.0", "delta": "1.0"}
    before = (app / ".venv/.isolate/lock.toml").read_bytes()
    shutil.rmtree(app / ".venv")
    isolate("sync", "-r", "requirements/dev.txt", cwd=app)
    assert (app / ".venv/.isolate/lock.toml").read_bytes().partition(b"\n")[2] == before.partition(b"\n")[2]


def test_a_directory_without_declarations_becomes_an_application(isolate, application, index):
    app = application({"needed.in": "delta\n"})
    isolate("sync", cwd=app, status=2)
    isolate("sync", "-r", "needed.in", cwd=app)
    assert "nothing to do" in isolate("sync", cwd=app).out
    assert "OK: 1 package" in isolate("check", cwd=app).out
    assert isolate("run", "--", "python", "-c", "import delta", cwd=app)


def test_a_moved_application_follows_its_own_files(isolate, app):
    isolate("sync", "-r", "requirements/dev.txt", cwd=app)
    moved = app.rename(app.parent / "moved")
    assert f"{LINE}-r requirements/dev.txt\n" in isolate("check", cwd=moved, status=1).out
    isolate("run", "--", "python", "-c", "import delta", cwd=moved)
    assert installed(moved) == {"alpha": "1.0", "delta": "1.0"}


def test_the_same_files_in_other_roles_have_locks_of_their_own(isolate, app):
    (app / "a.txt").write_text("alpha==1.0\n")
    (app / "b.txt").write_text("delta==1.0\n")
    isolate("sync", "-r", "a.txt", "-c", "b.txt", cwd=app)
    assert installed(app) == {"alpha": "1.0"}
    isolate("sync", "--forget", "-r", "a.txt", "-r", "b.txt", cwd=app)
    assert installed(app) == {"alpha": "1.0", "delta": "1.0"}


def test_a_rollback_returns_to_what_was_named(isolate, app):
    isolate("sync", cwd=app)
    isolate("sync", "-r", "requirements/dev.txt", cwd=app)
    isolate("rollback", cwd=app)
    assert LINE not in isolate("sync", cwd=app).out
    assert installed(app) == {"alpha": "1.0"}
    isolate("rollback", "2", cwd=app)
    assert LINE in isolate("sync", cwd=app).out
    assert installed(app) == {"alpha": "1.0", "delta": "1.0"}


def test_a_named_file_that_is_gone_is_told(isolate, app):
    isolate("sync", "-r", "requirements/dev.txt", cwd=app)
    (app / "requirements/dev.txt").unlink()
    for command in ("sync", "check", "status"):
        result = isolate(command, cwd=app, status=2)
        assert "requirements/dev.txt: was named with -r for this .venv and does not exist" in result.err
        assert "isolate sync --forget" in result.err
    isolate("sync", "--forget", cwd=app)


def test_many_applications_each_follow_their_own(isolate, app, application):
    other = application({"requirements.txt": "delta\n"}, name="other")
    isolate("sync", "-r", "requirements/dev.txt", cwd=app)
    (app / "requirements/dev.txt").write_text("gamma\n")
    isolate("sync", "app", "other", cwd=app.parent)
    assert installed(app) == {"gamma": "1.0"}
    assert installed(other) == {"delta": "1.0"}


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["-r", "a.txt", "--all"], "for one application alone"),
        (["-c", "a.txt", "--locked"], "about the declarations alone"),
        (["-r", "a.txt", "--frozen"], "about the declarations alone"),
        (["-r", "HTTPS://example.com/a.txt"], "is a URL"),
        (["-r", "pyproject.toml"], "is not a requirements file"),
        (["--save"], "nothing was named"),
    ],
)
def test_what_cannot_be_named_is_refused(isolate, app, options, part):
    assert part in isolate("sync", *options, cwd=app, status=2).err
    assert not (app / ".venv").exists()


def test_the_application_stays_out_until_forgotten(isolate, application):
    project = '[project]\nname = "own"\nversion = "1"\n[build-system]\nrequires = []\nbuild-backend = "none"\n'
    app = application({"pyproject.toml": f'{project}backend-path = ["."]\n', "none.py": ""})
    isolate("sync", "--no-install-project", cwd=app)
    assert f"nothing to do: 0 packages, Python {'.'.join(map(str, sys.version_info[:3]))} ({LINE}--no-install" in (
        isolate("sync", cwd=app).out
    )
    assert isolate("sync", "--forget", cwd=app, status=2)


def test_a_python_stays_until_the_version_file_changes(isolate, app):
    (app / ".python-version").write_text(">=3\n")
    isolate("sync", "--python", sys.executable, cwd=app)
    assert f"{LINE}--python {sys.executable}" in isolate("sync", cwd=app).out
    assert f"{LINE}--python {sys.executable}" in isolate("check", cwd=app).out
    (app / ".python-version").write_text("3.9999\n")
    assert ".python-version" in isolate("sync", cwd=app, status=2).err
    (app / ".python-version").write_text(">=3.1\n")
    assert LINE not in isolate("sync", cwd=app).out
    (app / ".python-version").write_text(">=3\n")
    assert LINE not in isolate("sync", cwd=app).out


def test_a_relative_python_means_the_same_from_everywhere(isolate, app, tmp_path):
    (tmp_path / "python").symlink_to(sys.executable)
    isolate("sync", "app", "--python", "./python", cwd=tmp_path)
    assert f"--python {tmp_path}/python" in isolate("sync", cwd=app).out


def test_what_was_named_can_be_saved(isolate, app):
    (app / "limits.txt").write_text("alpha<2\n")
    isolate("sync", "-r", "requirements/dev.txt", "-c", "limits.txt", cwd=app)
    isolate("sync", "--save", cwd=app)
    expected = (
        '[tool.isolate]\nrequirements = [\n    "requirements/dev.txt",\n]\nconstraints = [\n    "limits.txt",\n]\n'
    )
    assert (app / "pyproject.toml").read_text() == expected
    assert LINE not in isolate("sync", cwd=app).out
    assert "delta" in (app / "pylock.toml").read_text()
    isolate("sync", "--locked", cwd=app)
    assert installed(app) == {"alpha": "1.0", "delta": "1.0"}


def test_a_save_that_fails_leaves_the_file_as_it_was(isolate, app):
    (app / "needed.txt").write_text("no-such-package\n")
    isolate("sync", "-r", "needed.txt", "--save", cwd=app, status=2)
    assert not (app / "pyproject.toml").exists()
    (app / "pyproject.toml").write_text("# mine\n")
    (app / "pyproject.toml").chmod(0o600)
    isolate("sync", "-r", "needed.txt", "--save", cwd=app, status=2)
    assert (app / "pyproject.toml").read_text() == "# mine\n"
    assert (app / "pyproject.toml").stat().st_mode & 0o777 == 0o600


def test_a_dry_run_saves_nothing(isolate, app):
    isolate("sync", "-r", "requirements/dev.txt", "--save", "--dry-run", cwd=app)
    assert not (app / "pyproject.toml").exists()
    assert not (app / ".venv").exists()
