"""Bytecode is compiled by the interpreter that it is for, and a failure to do so does not go unnoticed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from isolate.errors import IsolateError
from isolate.pip.runner import Pip
from isolate.store.bytecode import COMPILE, compile_missing
from isolate.store.layout import bytecode_key
from isolate.store.store import open_store
from kit.packages import build_wheel


@pytest.fixture
def stored(isolate, application, index):
    """Return what syncs an application whose package has a module that does not compile, and returns store and key."""

    def sync(cache):
        build_wheel(
            index.directory, "mixed", "1.0", files={"good.py": "", "deep/good.py": "", "bad.py": "print 'two'\n"}
        )
        app = application({"requirements.txt": "mixed==1.0\n"})
        isolate("sync", cwd=app, env={"ISOLATE_CACHE_DIR": str(cache)})
        store = open_store(cache)
        [key] = [key for key in store.entry_keys() if "/mixed-" in key]
        return store, key

    return sync


def compile_with(python, store, key):
    pip = Pip(python=Path(python), compat_tag="", version="", env=dict(os.environ))
    compile_missing(store, [key], lambda: pip, on_wait=pytest.fail)


def test_what_compiles_is_compiled_below_a_path_too_long_for_a_socket(stored, tmp_path):
    store, key = stored(tmp_path / ("x" * 100))
    compile_with(sys.executable, store, key)
    files = [file.path.partition("site-packages/")[2] for file in store.entry(bytecode_key(key)).manifest.files]
    tag = f"{sys.implementation.cache_tag}.pyc"
    assert files == [f"__pycache__/good.{tag}", f"deep/__pycache__/good.{tag}"]


def test_a_compiler_that_fails_is_not_taken_for_one_that_found_nothing(stored, cache):
    store, key = stored(cache)
    with pytest.raises(IsolateError, match=r"could not compile bytecode \(exit code 1\)"):
        compile_with("/bin/false", store, key)
    assert not store.has(bytecode_key(key))


WITHOUT_LOCKS = """
import multiprocessing.synchronize
def fail(*_, **__): raise OSError(30, "Read-only file system")
multiprocessing.synchronize.SemLock.__init__ = fail
"""


def test_it_is_compiled_without_shared_memory(tmp_path):
    """Some containers have no /dev/shm, or a read-only one: `multiprocessing` can make no lock there."""
    (tmp_path / "good.py").write_text("")
    subprocess.run([sys.executable, "-I", "-c", WITHOUT_LOCKS + COMPILE, str(tmp_path)], check=True)
    assert list(tmp_path.glob("__pycache__/good.*.pyc"))
