from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from conftest import SOURCE
from isolate import fs, locks


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


def test_a_file_is_replaced_entirely_or_not_at_all(folder):
    target = folder / "file"
    target.write_text("old")
    fs.write(target, b"new", by=folder / "tmp")
    assert target.read_text() == "new"
    assert list((folder / "tmp").iterdir()) == []


@pytest.mark.parametrize("interruption", [OSError, KeyboardInterrupt])
def test_a_scratch_directory_is_gone_whatever_happens(folder, interruption):
    def work():
        with fs.scratch_directory(folder) as scratch:
            (scratch / "half").touch()
            raise interruption

    with pytest.raises(interruption):
        work()
    assert list(folder.iterdir()) == []


def test_only_what_nobody_works_on_is_swept_and_no_file(folder):
    (folder / "record.json").write_text("kept")
    (folder / "rubbish/below").mkdir(parents=True)
    with fs.scratch_directory(folder) as scratch:
        fs.sweep(folder)
        assert scratch.is_dir()
        assert not (folder / "rubbish").exists()
    assert [path.name for path in folder.iterdir()] == ["record.json"]


def test_what_a_killed_process_left_is_swept(folder):
    code = "import sys, time; from pathlib import Path; from isolate import fs\n"
    code += "with fs.scratch_directory(Path(sys.argv[1])): print('made', flush=True); time.sleep(60)"
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
    with subprocess.Popen([sys.executable, "-c", code, folder], env=environ, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        fs.sweep(folder)
        assert len(list(folder.iterdir())) == 1
        child.send_signal(signal.SIGKILL)
    fs.sweep(folder)
    assert list(folder.iterdir()) == []


def test_whoever_waits_for_a_lock_is_told_once(folder):
    code = "import sys; from pathlib import Path; from isolate import fs\n"
    code += (
        "with locks.flock(Path(sys.argv[1]), on_wait=lambda: print('waiting', flush=True)): print('mine', flush=True)"
    )
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
    with locks.flock(folder):
        child = subprocess.Popen([sys.executable, "-c", code, folder], env=environ, stdout=subprocess.PIPE, text=True)
        assert child.stdout.readline() == "waiting\n"
    assert child.communicate(timeout=10)[0] == "mine\n"


def test_read_only_trees_are_deleted_and_links_are_not_followed(folder):
    (folder / "kept").mkdir()
    (folder / "tree/inner").mkdir(parents=True)
    (folder / "tree/inner/file").write_text("x")
    (folder / "tree/link").symlink_to(folder / "kept")
    (folder / "tree/inner").chmod(0o555)
    fs.delete_tree(folder / "tree")
    assert sorted(path.name for path in folder.iterdir()) == ["kept"]
