"""A record counts only if this user's isolate wrote it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from conftest import SOURCE, versions
from isolate.environment.stamp.read import up_to_date_message
from isolate.environment.stamp.variables import variable_line
from isolate.signed_record import Unverified, read_signed, signed
from isolate.user_key import ensure_key, read_key, state_directory

pytestmark = pytest.mark.store("warm")

# --- the key --------------------------------------------------------------------------------------------------------


@pytest.fixture
def key_file(isolated_home):
    return isolated_home / ".local/state/isolate/key"


def test_the_key_is_random_private_and_independent_of_the_cache(isolate, application, index, key_file, monkeypatch):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    key = key_file.read_bytes()
    assert len(key) == 32
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in key_file.parent.iterdir()) == ["key"]
    monkeypatch.setenv("ISOLATE_CACHE_DIR", f"{app}/elsewhere")
    assert "nothing to do" in isolate("sync", cwd=app).out
    assert key_file.read_bytes() == key


@pytest.mark.skipif(sys.platform == "darwin", reason="the directory of Linux")
@pytest.mark.parametrize("state_home", [None, "", "/state"])
def test_the_state_directory_is_that_of_platformdirs(monkeypatch, state_home):
    import platformdirs

    if state_home is not None:
        monkeypatch.setenv("XDG_STATE_HOME", state_home)
    assert state_directory() == platformdirs.user_state_dir("isolate", appauthor=False)


def test_a_relative_state_directory_or_home_is_ignored(monkeypatch, isolated_home):
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    assert state_directory() == f"{isolated_home}/.local/state/isolate"
    monkeypatch.setenv("HOME", "home")
    assert state_directory() is None or os.path.isabs(state_directory())


@pytest.mark.parametrize("home", [None, "", "relative", "/dev/null", "/nowhere/\nthere"])
def test_a_home_that_cannot_be_used_costs_a_key_and_no_more(isolate, application, index, monkeypatch, home):
    app = application({"requirements.txt": "alpha==1.0\n"})
    code = "import os; os.getuid = lambda: 123456789; from isolate.fast_path import main; main()"
    environ = {**os.environ, "PYTHONPATH": str(SOURCE), "HOME": home}
    environ = {name: value for name, value in environ.items() if value is not None}
    for arguments in (["sync"], ["sync"], ["run", "--", "python", "-c", "import alpha"]):
        command = [sys.executable, "-c", f"import sys; sys.argv[1:] = {arguments!r}; {code}"]
        done = subprocess.run(command, cwd=app, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr


def test_two_processes_at_once_end_with_one_key(key_file):
    del key_file
    keys = set()
    code = "from isolate.user_key import ensure_key; print(ensure_key().hex())"
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}

    def create():
        keys.add(subprocess.run([sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE, check=True).stdout)

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert keys == {f"{read_key().hex()}\n".encode()}


def replace_by_pipe(path):
    path.unlink()
    os.mkfifo(path, 0o600)


def replace_by_directory(path):
    path.unlink()
    path.mkdir()


def replace_by_link(path):
    path.rename(path.with_name("other"))
    path.symlink_to("other")


DAMAGES = {
    "missing": Path.unlink,
    "short": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "long": lambda path: path.write_bytes(path.read_bytes() + b"+"),
    "empty": lambda path: path.write_bytes(b""),
    "readable by others": lambda path: path.chmod(0o604),
    "readable by the group": lambda path: path.chmod(0o640),
    "a link": replace_by_link,
    "a directory": replace_by_directory,
    "a pipe": replace_by_pipe,
    "of another user": lambda path: os.chown(path, 12345, -1),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_key_that_others_may_know_or_may_have_put_there_is_not_believed(key_file, damage):
    if damage == "of another user" and os.geteuid():
        pytest.skip("only root can give a file away")
    before = ensure_key()
    DAMAGES[damage](key_file)
    assert read_key() is None
    code = "from isolate.user_key import ensure_key, read_key; k = ensure_key(); assert k == read_key(); print(k.hex())"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(SOURCE)}, stdout=subprocess.PIPE, check=True
    )
    assert done.stdout.decode().strip() != before.hex()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_root_creates_no_key_in_the_home_of_another_user(isolate, application, index, isolated_home):
    os.chown(isolated_home, 12345, -1)
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    assert not (isolated_home / ".local").exists()
    assert versions(app / ".venv") == {"alpha": "1.0"}


# --- the code -------------------------------------------------------------------------------------------------------


@pytest.fixture
def record(tmp_path):
    """Return a record of three lines with a valid code."""
    path = tmp_path / "record"
    path.write_bytes(signed("state", str(path), b"one\ntwo\nthree\n"))
    return path


def is_verified(path, kind="state"):
    try:
        read_signed(kind, str(path))
    except Unverified:
        return False
    return True


def test_a_record_is_read_as_it_was_written(record):
    assert read_signed("state", str(record)) == b"one\ntwo\nthree\n"


def test_a_record_that_is_cut_off_anywhere_is_unverified(record):
    content = record.read_bytes()
    for length in range(len(content)):
        record.write_bytes(content[:length])
        assert not is_verified(record), length


def test_a_record_that_is_altered_anywhere_is_unverified(record):
    content = record.read_bytes()
    for place in range(len(content)):
        record.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert not is_verified(record), place


def test_a_record_of_another_place_kind_user_or_version_is_unverified(record, tmp_path, monkeypatch):
    content = record.read_bytes()
    (tmp_path / "other").write_bytes(content)
    assert not is_verified(tmp_path / "other")
    assert not is_verified(record, "journal")
    record.write_bytes(content.replace(b"isolate-record 1 ", b"isolate-record 2 "))
    assert not is_verified(record)
    record.write_bytes(content)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state of another user"))
    assert not is_verified(record)
    ensure_key()
    assert not is_verified(record)


def test_kind_path_and_content_cannot_be_exchanged_for_each_other(tmp_path):
    codes = {
        signed(kind, path, content).split(b"\n")[0].split()[-1]
        for kind, path, content in (("ab", "/c", b""), ("a", "b/c", b""), ("a", "b/", b"c"), ("a", "b", b"/c"))
    }
    assert len(codes) == 4
    del tmp_path


def test_a_record_is_a_regular_file(tmp_path, record):
    (tmp_path / "link").symlink_to(record)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "link", tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        with pytest.raises(OSError, match=r"record|link|directory"):
            read_signed("state", str(path))


# --- the stamp ------------------------------------------------------------------------------------------------------


@pytest.fixture
def app(isolate, application, index):
    """Return an application whose environment has a stamp."""
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    return app


def test_a_stamp_that_is_cut_off_at_a_line_is_not_believed(isolate, app):
    stamp = app / ".venv/.isolate/stamp"
    lines = stamp.read_bytes().splitlines(keepends=True)
    assert up_to_date_message(str(app / ".venv"), variable_line) is not None
    # With and without the line that has the code.
    for cut in [*(lines[first:count] for first in (0, 1) for count in range(len(lines))), lines[1:]]:
        stamp.write_bytes(b"".join(cut))
        assert up_to_date_message(str(app / ".venv"), variable_line) is None, cut[-1:]
    next(app.glob(".venv/lib/*/site-packages/alpha/__init__.py")).unlink()
    for cut in (lines[:1], lines[: len(lines) // 2], lines[:-1], lines[1:]):
        stamp.write_bytes(b"".join(cut))
        assert "up to date: no\n" in isolate("status", cwd=app).out
    stamp.write_bytes(b"".join(lines[1:3]))
    assert "nothing to do" not in isolate("sync", cwd=app).out
    isolate("run", "--no-sync", "--", "python", "-c", "import alpha", cwd=app)


@pytest.mark.parametrize("forgery", ["isolate stamp 2\nnothing to do: 1 package, Python 3\n", "", "isolate-record 1"])
def test_a_stamp_of_another_program_is_not_believed(isolate, app, forgery):
    (app / ".venv/.isolate/stamp").write_text(forgery)
    (app / "requirements.txt").write_text("alpha==2.0\n")
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "2.0"}


def test_the_stamp_of_another_application_is_not_believed(isolate, app, application):
    other = application({"requirements.txt": "alpha==2.0\n"}, name="other")
    isolate("sync", cwd=other)
    (app / ".venv/.isolate/stamp").write_bytes((other / ".venv/.isolate/stamp").read_bytes())
    (app / "requirements.txt").write_text("alpha==2.0\n")
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "2.0"}
