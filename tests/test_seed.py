"""The pip of isolate's own environment becomes a wheel again, whichever installer brought it there."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from isolate.store.intake import read_prefix
from isolate.store.seed import pack_installed
from isolate.store.seeding import install_seed


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
    pack_installed(copied, wheel)
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
        pack_installed(copied, wheel)
    assert Path(one).read_bytes() == Path(other).read_bytes()


def test_it_arrives_with_its_scripts_and_all_that_its_record_lists(copied, tmp_path):
    wheel, prefix = tmp_path / f"pip-{copied.version}-py3-none-any.whl", tmp_path / "prefix"
    pack_installed(copied, wheel)
    install_seed(wheel, prefix, "lib/python3.12/site-packages", python=Path("/python"), version="3.12")
    assert sorted(path.name for path in (prefix / "bin").iterdir()) == ["pip", "pip3", "pip3.12"]
    assert {(prefix / f"bin/{name}").read_text() for name in ("pip", "pip3", "pip3.12")} == {
        (prefix / "bin/pip").read_text()
    }
    assert (prefix / "bin/pip").read_text().startswith("#!/python\n")
    claims = read_prefix(prefix)["pip"].claims
    there = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()}
    assert set(claims) == there
