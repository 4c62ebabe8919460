"""The pip of isolate's own environment becomes a wheel again, whichever installer brought it there."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.util import cache_from_source
from pathlib import Path

import pytest

import pip
from isolate.errors import IsolateError
from isolate.interpreters.discovery import InterpreterFinder
from isolate.interpreters.query import describe
from isolate.store.bytecode import reuse_bytecode
from isolate.store.ingest import read_prefix
from isolate.store.layout import BYTECODE_SUFFIX, bytecode_key
from isolate.store.seed.install import install_seed
from isolate.store.seed.older import older_seed_wheel
from isolate.store.seed.wheel import repack
from isolate.store.store import open_store
from kit.packages import build_wheel

SURROUNDINGS = dict(os.environ)
"""Those in which the tests were started, with the interpreters of whoever runs them."""


@pytest.fixture
def copied(tmp_path):
    """isolate's own pip, copied to where a test may change it."""
    own = importlib.metadata.distribution("pip")
    for file in own.files or ():
        if not str(file).startswith("..") and file.suffix != ".pyc":
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(own.locate_file(file)), tmp_path / file)
    return importlib.metadata.PathDistribution(tmp_path / f"pip-{own.version}.dist-info")


def test_bare_directories_in_its_record_as_virtualenv_lists_them_are_left_out(copied, tmp_path):
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


def test_it_is_the_same_bytes_each_time(copied, tmp_path):
    one, other = tmp_path / "one.whl", tmp_path / "other.whl"
    for wheel in (one, other):
        repack(copied, wheel)
    assert Path(one).read_bytes() == Path(other).read_bytes()


def test_it_arrives_with_its_scripts_and_all_that_its_record_lists(copied, tmp_path):
    wheel, prefix = tmp_path / f"pip-{copied.version}-py3-none-any.whl", tmp_path / "prefix"
    repack(copied, wheel)
    install_seed(wheel, prefix, "lib/python3.12/site-packages", python=Path("/python"), python_version="3.12")
    assert sorted(path.name for path in (prefix / "bin").iterdir()) == ["pip", "pip3", "pip3.12"]
    assert {(prefix / f"bin/{name}").read_text() for name in ("pip", "pip3", "pip3.12")} == {
        (prefix / "bin/pip").read_text()
    }
    assert (prefix / "bin/pip").read_text().startswith("#!/python\n")
    claims = read_prefix(prefix)["pip"].recorded_hashes
    there = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()}
    assert set(claims) == there


@pytest.fixture
def compiled(tmp_path):
    """A directory of modules with isolate's own pip, compiled."""
    site = tmp_path / "site"
    shutil.copytree(Path(pip.__file__).parent, site / "pip")
    subprocess.run([sys.executable, "-m", "compileall", "-q", site], check=True)
    return site


@pytest.fixture
def store_with_pip(cache, isolate, application):
    """A store in which pip has an entry, without bytecode, and the key of that."""
    isolate("sync", cwd=application({"requirements.txt": ""}))
    store = open_store(cache)
    [key] = [one for one in store.entry_keys() if "/pip-" in one and not one.endswith(BYTECODE_SUFFIX)]
    store.discard(bytecode_key(key))
    return store, key


def test_its_bytecode_is_taken_over_if_it_is_that_of_the_same_modules(store_with_pip, compiled):
    store, key = store_with_pip
    reuse_bytecode(store, key, compiled)
    pip_modules = {file.path for file in store.entry(key).manifest.files if file.path.endswith(".py")}
    taken = {file.path for file in store.entry(bytecode_key(key)).manifest.files}
    assert len(taken) == len(pip_modules) > 100
    assert {cache_from_source(path) for path in pip_modules} == taken


@pytest.mark.parametrize(
    "spoil",
    [
        lambda module: os.utime(module, (1, 1)),
        lambda module: module.write_text("another = 1\n"),
        lambda module: Path(cache_from_source(str(module))).unlink(),
        lambda module: Path(cache_from_source(str(module))).write_bytes(b"\0" * 40),
    ],
)
def test_bytecode_that_is_not_all_there_and_valid_is_not_taken(spoil, store_with_pip, compiled):
    store, key = store_with_pip
    spoil(compiled / "pip/_internal/cli/main.py")
    reuse_bytecode(store, key, compiled)
    assert not store.has(bytecode_key(key))
    assert list(store.paths.tmp.iterdir()) == []


def test_a_new_environment_has_its_pip_compiled_where_pip_is_needed_and_nowhere_else(isolate, application, index):
    if not Path(cache_from_source(pip.__file__.replace("__init__", "_internal/cli/main"))).exists():
        pytest.skip("the pip of this environment was not compiled")
    build_wheel(index.folder, "alpha", "1.0")
    root = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=root)
    said = subprocess.run(
        [root / ".venv/bin/python", "-I", "-B", "-v", "-c", "import pip._internal.cli.main"],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    loaded = [line for line in said.splitlines() if line.startswith("# code object from") and "/pip/" in line]
    assert len(loaded) > 5
    assert [line for line in loaded if ".pyc" not in line] == []
    isolate("check", "--hash", cwd=root)
    shutil.rmtree(root / ".venv")
    isolate("sync", cwd=root)
    assert list(root.glob(".venv/lib/*/site-packages/pip/**/__pycache__")) == []


def test_an_older_pip_is_fetched_once_and_only_where_the_network_may_be_used(cache, index):
    build_wheel(index.folder, "pip", "25.0")
    store = open_store(cache)
    old = describe(sys._base_executable, cache=store.paths.interpreters, environ=os.environ)._replace(version="3.8.1")
    with pytest.raises(IsolateError) as refused:
        older_seed_wheel(store, old, os.environ, offline=True)
    assert "--offline" in str(refused.value.hint)
    assert index.requests == []
    wheel = older_seed_wheel(store, old, os.environ, offline=False)
    asked = len(index.requests)
    assert wheel.name == "pip-25.0-py3-none-any.whl"
    assert older_seed_wheel(store, old, os.environ, offline=True) == wheel
    assert len(index.requests) == asked


def test_an_offline_sync_for_an_old_python_leaves_the_network_alone(isolate, application, index):
    found = InterpreterFinder(cache=None, environ=SURROUNDINGS).discover_all()
    old = [one for one in found if one.implementation == "cpython" and one.minor_version in ("3.8", "3.9")]
    if not old:
        pytest.skip("there is no such Python here")
    app = application({"requirements.txt": ""})
    message = isolate("sync", "--offline", "--python", old[0].executable, cwd=app, status=2).err
    assert "needs an older pip" in message
    assert index.requests == []
