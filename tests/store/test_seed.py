"""The seed: a wheel repacked from isolate's own pip, whichever installer installed that, or an older pip."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import textwrap
import zipfile
from importlib.util import cache_from_source
from pathlib import Path

import pytest

import pip
from isolate.errors import IsolateError
from isolate.interpreters.discovery import InterpreterFinder
from isolate.interpreters.query import describe
from isolate.store.bytecode import reuse_bytecode
from isolate.store.layout import BYTECODE_SUFFIX, bytecode_key
from isolate.store.seed.install import install_seed
from isolate.store.seed.older import older_seed_wheel
from isolate.store.seed.wheel import repack
from isolate.store.store import open_store
from isolate.store.unpacked import read_prefix
from kit.packages import build_sdist, build_wheel

ORIGINAL_ENVIRON = dict(os.environ)
"""The environment that the tests were started in, which leads to the interpreters of the developer."""


@pytest.fixture
def copied(tmp_path):
    """Return isolate's own pip, copied to a directory where a test may change it."""
    own = importlib.metadata.distribution("pip")
    for file in own.files or ():
        if not str(file).startswith("..") and file.suffix != ".pyc":
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(own.locate_file(file)), tmp_path / file)
    return importlib.metadata.PathDistribution(tmp_path / f"pip-{own.version}.dist-info")


def test_directories_which_virtualenv_lists_in_record_are_not_packed(copied, tmp_path):
    (tmp_path / "pip/__pycache__").mkdir()
    record = tmp_path / f"pip-{copied.version}.dist-info/RECORD"
    record.write_text(f"{record.read_text()}pip/__pycache__,,\n")
    wheel = tmp_path / f"pip-{copied.version}-py3-none-any.whl"
    repack(copied, wheel)
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert not [name for name in names if "__pycache__" in name]
    assert "pip/__init__.py" in names
    runs = subprocess.run(
        [sys.executable, "-I", wheel / "pip", "--version"], capture_output=True, text=True, check=True
    )
    assert f"pip {copied.version}" in runs.stdout
    assert str(wheel) in runs.stdout


def test_repacking_is_reproducible(copied, tmp_path):
    first, second = tmp_path / "first.whl", tmp_path / "second.whl"
    for wheel in (first, second):
        repack(copied, wheel)
    assert first.read_bytes() == second.read_bytes()


def test_it_is_installed_with_its_scripts_and_every_file_that_record_lists(copied, tmp_path):
    wheel, prefix = tmp_path / f"pip-{copied.version}-py3-none-any.whl", tmp_path / "prefix"
    repack(copied, wheel)
    install_seed(wheel, prefix, "lib/python3.12/site-packages", python=Path("/python"), python_version="3.12")
    assert sorted(path.name for path in (prefix / "bin").iterdir()) == ["pip", "pip3", "pip3.12"]
    assert {(prefix / f"bin/{name}").read_text() for name in ("pip", "pip3", "pip3.12")} == {
        (prefix / "bin/pip").read_text()
    }
    assert (prefix / "bin/pip").read_text().startswith("#!/python\n")
    recorded = read_prefix(prefix)["pip"].recorded_hashes
    installed = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()}
    assert set(recorded) == installed


@pytest.fixture
def compiled(tmp_path):
    """Return a directory of modules with isolate's own pip, compiled."""
    site = tmp_path / "site"
    shutil.copytree(Path(pip.__file__).parent, site / "pip")
    subprocess.run([sys.executable, "-m", "compileall", "-q", site], check=True)
    return site


@pytest.fixture
def store_with_pip(cache, isolate, application):
    """Return a store with an entry of pip, but without its bytecode, and the key of that entry."""
    isolate("sync", cwd=application({"requirements.txt": ""}))
    store = open_store(cache)
    [key] = [key for key in store.entry_keys() if "/pip-" in key and not key.endswith(BYTECODE_SUFFIX)]
    store.discard(bytecode_key(key))
    return store, key


def test_its_bytecode_is_reused_if_the_modules_are_the_same(store_with_pip, compiled):
    store, key = store_with_pip
    reuse_bytecode(store, key, compiled)
    pip_modules = {file.path for file in store.entry(key).manifest.files if file.path.endswith(".py")}
    reused = {file.path for file in store.entry(bytecode_key(key)).manifest.files}
    assert len(reused) == len(pip_modules) > 100
    assert {cache_from_source(path) for path in pip_modules} == reused


@pytest.mark.parametrize(
    "damage",
    [
        lambda module: os.utime(module, (1, 1)),
        lambda module: module.write_text("different = 1\n"),
        lambda module: Path(cache_from_source(str(module))).unlink(),
        lambda module: Path(cache_from_source(str(module))).write_bytes(b"\0" * 40),
    ],
)
def test_bytecode_that_is_incomplete_or_invalid_is_not_reused(damage, store_with_pip, compiled):
    store, key = store_with_pip
    damage(compiled / "pip/_internal/cli/main.py")
    reuse_bytecode(store, key, compiled)
    assert not store.has(bytecode_key(key))
    assert list(store.paths.tmp.iterdir()) == []


def test_the_pip_that_fills_the_store_has_bytecode_and_the_environment_is_left_alone(isolate, application, index):
    if not Path(cache_from_source(pip.__file__.replace("__init__", "_internal/cli/main"))).exists():
        pytest.skip("the pip of this environment was not compiled")
    linked = """
        import glob, os, sysconfig
        compiled = glob.glob(os.path.join(sysconfig.get_path("purelib"), "pip/_internal/cli/__pycache__/main.*.pyc"))
        assert os.stat(compiled[0]).st_nlink > 1, compiled
    """
    build_sdist(index.directory, "sigma", "1.0", on_build=textwrap.dedent(linked))
    root = application({"requirements.txt": "sigma==1.0\n"})
    isolate("sync", cwd=root)
    assert list(root.glob(".venv/lib/*/site-packages/pip/**/__pycache__")) == []


def test_an_older_pip_is_downloaded_once_and_only_if_the_network_may_be_used(cache, index):
    build_wheel(index.directory, "pip", "25.0")
    store = open_store(cache)
    old = describe(sys._base_executable, cache=store.paths.interpreters, environ=os.environ)._replace(version="3.8.1")
    with pytest.raises(IsolateError) as refused:
        older_seed_wheel(store, old, os.environ, offline=True)
    assert "--offline" in str(refused.value.hint)
    assert index.requests == []
    wheel = older_seed_wheel(store, old, os.environ, offline=False)
    requests = len(index.requests)
    assert wheel.name == "pip-25.0-py3-none-any.whl"
    assert older_seed_wheel(store, old, os.environ, offline=True) == wheel
    assert len(index.requests) == requests


def test_an_offline_sync_for_an_old_python_does_not_use_the_network(isolate, application, index):
    pythons = InterpreterFinder(cache=None, environ=ORIGINAL_ENVIRON).discover_all()
    old = [
        python for python in pythons if python.implementation == "cpython" and python.minor_version in ("3.8", "3.9")
    ]
    if not old:
        pytest.skip("there is no such Python here")
    app = application({"requirements.txt": ""})
    message = isolate("sync", "--offline", "--python", old[0].executable, cwd=app, status=2).err
    assert "needs an older pip, and downloading it failed" in message
    assert index.requests == []
