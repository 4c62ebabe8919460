from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from conftest import SOURCE
from isolate import atomic


def test_a_file_is_replaced_entirely_or_not_at_all(tmp_path):
    target = tmp_path / "file"
    target.write_text("old")
    atomic.write(target, b"new", by=tmp_path / "tmp")
    assert target.read_text() == "new"
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("interruption", [OSError, KeyboardInterrupt])
def test_a_scratch_directory_is_gone_whatever_happens(tmp_path, interruption):
    with pytest.raises(interruption), atomic.scratch_directory(tmp_path) as scratch:
        (scratch / "half").touch()
        raise interruption
    assert list(tmp_path.iterdir()) == []


def test_only_what_nobody_works_on_is_swept_and_no_file(tmp_path):
    (tmp_path / "record.json").write_text("kept")
    (tmp_path / "rubbish/below").mkdir(parents=True)
    with atomic.scratch_directory(tmp_path) as scratch:
        atomic.sweep(tmp_path)
        assert scratch.is_dir()
        assert not (tmp_path / "rubbish").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_what_a_killed_process_left_is_swept(tmp_path):
    code = "import sys, time; from pathlib import Path; from isolate import atomic\n"
    code += "with atomic.scratch_directory(Path(sys.argv[1])): print('made', flush=True); time.sleep(60)"
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
    with subprocess.Popen([sys.executable, "-c", code, tmp_path], env=environ, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        atomic.sweep(tmp_path)
        assert len(list(tmp_path.iterdir())) == 1
        child.send_signal(signal.SIGKILL)
    atomic.sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_whoever_waits_for_a_lock_is_told_once(tmp_path):
    code = "import sys; from pathlib import Path; from isolate import atomic\n"
    code += (
        "with atomic.locked(Path(sys.argv[1]), on_wait=lambda: print('waiting', flush=True)): print('mine', flush=True)"
    )
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
    with atomic.locked(tmp_path):
        child = subprocess.Popen([sys.executable, "-c", code, tmp_path], env=environ, stdout=subprocess.PIPE, text=True)
        assert child.stdout.readline() == "waiting\n"
    assert child.communicate(timeout=10)[0] == "mine\n"


def test_read_only_trees_are_deleted_and_links_are_not_followed(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "tree/inner").mkdir(parents=True)
    (tmp_path / "tree/inner/file").write_text("x")
    (tmp_path / "tree/link").symlink_to(tmp_path / "kept")
    (tmp_path / "tree/inner").chmod(0o555)
    atomic.delete_tree(tmp_path / "tree")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]
