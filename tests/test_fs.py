from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from conftest import SOURCE
from isolate import fs, locks


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "directory").mkdir()
    return tmp_path / "directory"


def test_a_file_is_replaced_entirely_or_not_at_all(directory):
    target = directory / "file"
    target.write_text("old")
    fs.write(target, b"new", staging=directory / "tmp")
    assert target.read_text() == "new"
    assert list((directory / "tmp").iterdir()) == []


@pytest.mark.parametrize("interruption", [OSError, KeyboardInterrupt])
def test_a_scratch_directory_is_deleted_after_an_exception(directory, interruption):
    def work():
        with fs.scratch_directory(directory) as scratch:
            (scratch / "half").touch()
            raise interruption

    with pytest.raises(interruption):
        work()
    assert list(directory.iterdir()) == []


def test_only_abandoned_directories_are_removed_and_no_file(directory):
    (directory / "record.json").write_text("kept")
    (directory / "rubbish/below").mkdir(parents=True)
    with fs.scratch_directory(directory) as scratch:
        fs.remove_abandoned(directory)
        assert scratch.is_dir()
        assert not (directory / "rubbish").exists()
    assert [path.name for path in directory.iterdir()] == ["record.json"]


def test_the_scratch_directory_of_a_killed_process_is_removed(directory):
    code = "import sys, time; from pathlib import Path; from isolate import fs\n"
    code += "with fs.scratch_directory(Path(sys.argv[1])): print('made', flush=True); time.sleep(60)"
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
    with subprocess.Popen([sys.executable, "-c", code, directory], env=environ, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        fs.remove_abandoned(directory)
        assert len(list(directory.iterdir())) == 1
        child.send_signal(signal.SIGKILL)
    fs.remove_abandoned(directory)
    assert list(directory.iterdir()) == []


def test_a_process_that_waits_for_a_lock_is_told_once(directory):
    code = "import sys; from pathlib import Path; from isolate import locks\n"
    code += "with locks.flock(Path(sys.argv[1]), on_wait=lambda: print('waiting', flush=True)):\n"
    code += "    print('acquired', flush=True)"
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
    argv = [sys.executable, "-c", code, directory]
    with locks.flock(directory):
        child = subprocess.Popen(argv, env=environ, stdout=subprocess.PIPE, text=True)
        assert child.stdout.readline() == "waiting\n"
    assert child.communicate(timeout=10)[0] == "acquired\n"


def test_read_only_trees_are_deleted_and_links_are_not_followed(directory):
    (directory / "kept").mkdir()
    (directory / "tree/inner").mkdir(parents=True)
    (directory / "tree/inner/file").write_text("x")
    (directory / "tree/link").symlink_to(directory / "kept")
    (directory / "tree/inner").chmod(0o555)
    fs.delete_tree(directory / "tree")
    assert sorted(path.name for path in directory.iterdir()) == ["kept"]
