"""A distribution puts files into its environment, but none that belongs to isolate, to `venv`, or to another one."""

from __future__ import annotations

import json
import sys

import pytest

from conftest import versions
from isolate.store.manifest import read_manifest
from isolate.store.reserved_paths import first_reserved, foreign_metadata
from kit.packages import build_sdist, build_wheel

SITE = f"lib/python3.{sys.version_info[1]}/site-packages"

REFUSED = {
    ".isolate/state.json": "data/.isolate/state.json",
    ".isolate/work/switch.json": "data/share/../.isolate/work/switch.json",
    ".isolate/history/9.json": "platlib/../../../.isolate/history/9.json",
    ".ISOLATE/stamp": "data/.ISOLATE//stamp",
    ".isolate/x": "data/lib64/../.isolate/x",
    "pyvenv.cfg": "data/./pyvenv.cfg",
    "PyVenv.cfg": "data/PyVenv.cfg",
    "pip.conf": "data/pip.conf",
    ".gitignore": "data/.gitignore",
    "bin/python": "scripts/python",
    "bin/python3": "data/bin/python3",
    f"bin/python3.{sys.version_info[1]}": f"scripts/python3.{sys.version_info[1]}",
    "bin/activate": "data/bin/activate",
    "bin/Activate.ps1": "scripts/Activate.ps1",
    "bin/activate_this.py": "scripts/activate_this.py",
    f"{SITE}/pip-99.dist-info/METADATA": f"data/lib64{SITE[3:]}/pip-99.dist-info/METADATA",
}


@pytest.mark.parametrize("path", REFUSED)
def test_a_file_that_belongs_to_the_environment_is_refused(isolate, application, index, path):
    """pip itself refuses those with `..` or installs them where they belong; neither gets into an environment."""
    build_wheel(index.directory, "evil", "1.0", data={REFUSED[path]: "evil"})
    app = application({"requirements.txt": "evil==1.0\n"})
    message = json.loads(isolate("sync", "--json", cwd=app, status=2).out)["error"]
    if message["code"] == "invalid-distribution":
        assert path in message["message"]
        assert "evil 1.0" in message["message"]
    else:
        assert message["code"] == "pip-failed"
        assert ".." in REFUSED[path]
    assert not (app / ".venv").exists()


def test_a_script_that_takes_the_place_of_the_interpreter_is_refused(isolate, application, index):
    build_wheel(index.directory, "evil", "1.0", scripts={"python": "evil:main"})
    app = application({"requirements.txt": "evil==1.0\n"})
    assert "installs bin/python, which belongs to the environment" in isolate("sync", cwd=app, status=2).err


@pytest.mark.parametrize("path", ["evil/a\x1b[31m.py", "evil/\x7f.py"])
def test_a_name_with_a_control_character_is_refused_by_name(isolate, application, index, path):
    build_wheel(index.directory, "evil", "1.0", files={path: ""})
    app = application({"requirements.txt": "evil==1.0\n"})
    error = isolate("sync", cwd=app, status=2).err
    assert "evil 1.0 has a file with a control character in its name: evil/" in error


def test_what_a_build_makes_is_judged_like_any_wheel(isolate, application, index):
    sdist = build_sdist(index.directory, "evil", "1.0")
    tree = index.directory / "trees" / "evil-1.0"
    next((tree / "prebuilt").glob("*.whl")).unlink()
    build_wheel(tree / "prebuilt", "evil", "1.0", data={"data/.isolate/state.json": "{}"})
    sdist.unlink()
    app = application({"requirements.txt": f"evil @ {tree.as_uri()}\n"})
    assert "installs .isolate/state.json" in isolate("sync", cwd=app, status=2).err


@pytest.mark.parametrize("scheme", ["data/lib64", "data/lib/../lib64", "data/lib"])
def test_the_file_of_another_distribution_is_recognized_by_any_path(isolate, application, index, scheme):
    """`lib64` is a link to `lib` in an environment, so both paths are one file."""
    build_wheel(index.directory, "evil", "1.0", data={f"{scheme}{SITE[3:]}/alpha/__init__.py": "evil = 1"})
    warning = f"warning: alpha and evil both install {SITE}/alpha/__init__.py, with different content"
    other = application({"requirements.txt": "alpha==1.0\nevil==1.0\n"}, name="other")
    assert warning in isolate("sync", cwd=other).err
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    module = app / ".venv" / SITE / "alpha/__init__.py"
    before = module.read_text()
    application({"requirements.txt": "alpha==1.0\nevil==1.0\n"})
    assert warning in isolate("sync", cwd=app).err
    assert module.read_text() == "evil = 1"
    application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    assert module.read_text() == before


def test_a_record_of_another_distribution_cannot_be_replaced(isolate, application, index):
    """The false RECORD lists nothing, itself neither, so no file has two owners."""
    record = {f"data/{SITE}/alpha-1.0.dist-info/RECORD": "alpha-1.0.dist-info/METADATA,,\n"}
    build_wheel(index.directory, "evil", "1.0", data=record)
    app = application({"requirements.txt": "alpha==1.0\nevil==1.0\n"})
    message = isolate("sync", cwd=app, status=2).err
    assert "alpha-1.0.dist-info/RECORD" in message
    other = application({"requirements.txt": "alpha==1.0\n"}, name="other")
    isolate("sync", cwd=other)
    assert (other / ".venv" / SITE / "alpha/__init__.py").exists()


def test_a_distribution_may_install_through_the_link(isolate, application, index):
    build_wheel(index.directory, "wide", "1.0", data={f"data/lib64{SITE[3:]}/wide_data.py": "x = 1\n"})
    app = application({"requirements.txt": "wide==1.0\n"})
    isolate("sync", cwd=app)
    manifest = read_manifest(app / ".venv/.isolate/manifests/wide.json")
    assert f"{SITE}/wide_data.py" in [file.path for file in manifest.files]
    assert isolate("run", "--", "python", "-c", "import wide_data; print(wide_data.x)", cwd=app).out == "1\n"
    isolate("check", "--hash", cwd=app)


def test_names_that_only_resemble_reserved_ones_are_allowed(isolate, application, index):
    scripts = {
        "scripts/python-argcomplete-check": "#!python\n",
        "scripts/activate-global-python-argcomplete": "#!python\n",
    }
    data = {**scripts, "data/etc/pip.conf": "", "data/isolate/x": ""}
    build_wheel(index.directory, "like", "1.0", data=data, files={"like/pyvenv.cfg": ""})
    app = application({"requirements.txt": "like==1.0\n"})
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"like": "1.0"}


def test_an_entry_that_an_older_isolate_let_into_the_store_is_not_linked(isolate, application, index, cache):
    build_wheel(index.directory, "evil", "1.0", data={"data/harmless": "{}"})
    app = application({"requirements.txt": "evil==1.0\n"})
    isolate("sync", cwd=app)
    entry = next(cache.glob("store-v1/entries/*/evil-1.0-*"))
    (entry / "files/harmless").rename(entry / "files/pyvenv.cfg")
    manifest = entry / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_text(manifest.read_text().replace('"harmless"', '"pyvenv.cfg"'))
    other = application({"requirements.txt": "evil==1.0\n"}, name="other")
    isolate("sync", cwd=other, status=None)
    assert "evil" not in (other / ".venv/pyvenv.cfg").read_text()
    assert (other / ".venv/harmless").exists()


@pytest.mark.parametrize(
    "path", ["a/b", "lib/x", "lib64x", "bin/pythonic", "bin/python-config", "bin/activate-x", "x/bin/python"]
)
def test_an_ordinary_path_is_not_reserved(path):
    assert first_reserved(["lib/a", path]) is None


@pytest.mark.parametrize(
    "path", ["lib", "lib64", "bin", "include", ".isolate", "bin/python3.13t", "bin/pypy3", "BIN/Python"]
)
def test_a_path_of_the_environment_is_reserved(path):
    assert first_reserved(["lib/a", path]) == path


def test_only_metadata_beside_its_own_is_foreign():
    own = "lib/site-packages/a-1.dist-info"
    vendored = ["lib/site-packages/a/_vendor/b-1.dist-info/METADATA", f"{own}/RECORD", "share/c-1.dist-info/x"]
    assert foreign_metadata(vendored, own) is None
    assert foreign_metadata(["lib/site-packages/b-1.dist-info/x"], own) == "lib/site-packages/b-1.dist-info/x"
