"""What stands where a file is expected is read only if it is a regular file of bounded size."""

from __future__ import annotations

import os
import time

import pytest

from isolate.bounded_read import MAX_DECLARATION_BYTES, UnexpectedFile, read_bounded, read_json

SECONDS = 20
"""Far more than any of these commands takes, far less than a test may take."""

SECRET = "s3cr3t"


def put(kind, path):
    """Put something other than a file with declarations at *path*."""
    path.unlink(missing_ok=True)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "huge":
        path.write_text(f"{SECRET}\n")
        os.truncate(path, MAX_DECLARATION_BYTES + 1)
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to(kind)


KINDS = ("fifo", "huge", "/dev/zero", "/proc/self/environ")


@pytest.mark.parametrize("kind", [*KINDS, "directory"])
@pytest.mark.parametrize("name", ["pyproject.toml", "requirements.txt", "pylock.toml", "more.txt"])
def test_what_is_not_a_file_is_refused_without_its_content(isolate, application, monkeypatch, kind, name):
    monkeypatch.setenv("SOME_TOKEN", SECRET)
    app = application({"requirements.txt": "-r more.txt\n" if name == "more.txt" else "alpha\n"})
    put(kind, app / name)
    started = time.monotonic()
    result = isolate("check", cwd=app, status=2)
    assert time.monotonic() - started < SECONDS
    assert SECRET not in result.err
    assert name in result.err


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements.txt", "pylock.toml"])
@pytest.mark.parametrize(
    "command", [("lock", "--check"), ("list",), ("sync", "--dry-run"), ("status",), ("conflicts",)]
)
def test_no_command_waits_for_a_pipe(isolate, application, name, command):
    app = application({"requirements.txt": "alpha\n"})
    put("fifo", app / name)
    started = time.monotonic()
    assert isolate(*command, cwd=app, status=None).status in (0, 2)
    assert time.monotonic() - started < SECONDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_version_file_that_is_not_a_file_is_refused(isolate, application, monkeypatch, kind):
    monkeypatch.setenv("SOME_TOKEN", SECRET)
    app = application({"requirements.txt": ""})
    put(kind, app / ".python-version")
    result = isolate("check", cwd=app, status=2)
    assert ".python-version: cannot be read: it is " in result.err
    assert SECRET not in result.err


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name",
    ["state.json", "stamp", "template.json", "lock.toml", "history/1.json", "manifests/pip.json", "work/journal.json"],
)
def test_a_record_that_is_not_a_file_is_not_believed(isolate, application, kind, name):
    app = application({"requirements.txt": ""})
    isolate("sync", cwd=app)
    record = app / ".venv/.isolate" / name
    record.parent.mkdir(exist_ok=True)
    if kind == "huge":  # the limit of records is higher
        record.unlink(missing_ok=True)
        record.touch()
        os.truncate(record, 1 << 40)
    else:
        put(kind, record)
    for command in ("check", "history", "status"):
        assert isolate(command, cwd=app, status=None).status in (0, 1, 2)
        assert isolate(command, cwd=app, status=None).status != 3


@pytest.mark.parametrize("name", ["state.json", "template.json", "history/1.json", "manifests/pip.json"])
def test_a_record_nested_deep_is_not_believed(isolate, application, name):
    app = application({"requirements.txt": ""})
    isolate("sync", cwd=app)
    (app / ".venv/.isolate/stamp").unlink()
    record = app / ".venv/.isolate" / name
    record.unlink(missing_ok=True)
    record.write_text("[" * 100_000 + "]" * 100_000)
    for command in ("check", "history", "status", "sync"):
        assert isolate(command, cwd=app, status=None).status in (0, 1, 2)


def test_a_file_is_read_up_to_its_limit(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 10)
    assert read_bounded(path, 10) == b"x" * 10
    with pytest.raises(UnexpectedFile):
        read_bounded(path, 9)


def test_an_empty_file_and_a_link_to_a_file_are_read(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to("file")
    assert read_bounded(tmp_path / "link") == b""


def test_json_that_is_nested_too_deep_is_a_value_error(tmp_path):
    (tmp_path / "file").write_text("[" * 100_000)
    with pytest.raises(ValueError, match="nested too deep"):
        read_json(tmp_path / "file")


@pytest.mark.parametrize("name", ["requirements.txt", "pylock.toml", "pyproject.toml"])
def test_an_application_that_cannot_be_read_is_not_passed_over(isolate, application, name):
    app = application({}, name="repo/app")
    os.mkfifo(app / name)
    error = isolate("check", "--all", cwd=app.parent, status=2).err
    assert f"{app / name}" in error
    assert "named pipe" in error


@pytest.mark.parametrize("way", ["link", "include", "constraint", "URL", "setting"])
def test_no_line_of_a_file_outside_the_repository_is_shown(isolate, application, tmp_path, way):
    token = tmp_path / "token"
    token.write_text(f"# a comment\n{SECRET} = 1\n")
    texts = {"include": f"-r {token}\n", "constraint": f"-c ../{token.name}\n", "URL": f"-r FILE://{token}\n"}
    app = application({"requirements.txt": texts.get(way, "")})
    if way == "link":
        (app / "requirements.txt").unlink()
        (app / "requirements.txt").symlink_to(token)
    if way == "setting":
        application({"pyproject.toml": f'[tool.isolate]\nrequirements = ["{token}"]\n'})
    result = isolate("check", cwd=app, status=2)
    assert SECRET not in result.err + result.out
    assert ":2: " in result.err


def test_a_line_of_a_file_in_the_repository_is_shown(isolate, application):
    application({".git/HEAD": "ref: refs/heads/main\n"}, name="repo")
    application({"base.txt": "not a requirement\n"}, name="repo/common")
    app = application({"requirements.txt": "-r ../common/base.txt\n"}, name="repo/app")
    assert "`not a requirement`" in isolate("check", cwd=app, status=2).err
