"""Hostile variables, configuration and packages: the right files are installed, and nothing is written elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from conftest import inconsistencies, listing, versions
from kit.index import LocalIndex
from kit.packages import build_wheel


@pytest.fixture
def misleading(tmp_path):
    directory = tmp_path / "elsewhere"
    (directory / "alpha-9.dist-info").mkdir(parents=True)
    (directory / "alpha-9.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: alpha\nVersion: 9\n")
    for name in ("pip", "json", "venv", "click", "typing"):
        (directory / f"{name}.py").write_text("raise SystemExit('the wrong module')\n")
    return directory


MISLEADING_PATHS = [
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_REQUIREMENT",
    "PIP_CONSTRAINT",
    "PIP_PYTHON",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "VIRTUAL_ENV",
    "PIP_LOG",
    "PIP_SRC",
]
MISLEADING_FLAGS = [
    "PIP_USER",
    "PIP_DRY_RUN",
    "PIP_NO_DEPS",
    "PIP_REQUIRE_VIRTUALENV",
    "PYTHONSAFEPATH",
    "PIP_IGNORE_INSTALLED",
    "PIP_REQUIRE_HASHES",
]


@pytest.mark.parametrize("name", [*MISLEADING_PATHS, *MISLEADING_FLAGS])
def test_misleading_variables_have_no_effect(isolate, application, index, misleading, name):
    app = application({"requirements.txt": "beta==1.0\n"})
    before = listing(misleading)
    if name == "PYTHONHOME":
        pytest.skip("Python itself does not start with a wrong PYTHONHOME: see the next test")
    isolate("sync", cwd=app, env={name: str(misleading) if name in MISLEADING_PATHS else "1"})
    assert versions(app / ".venv") == {"alpha": "1.1", "beta": "1.0"}
    assert inconsistencies(app / ".venv") == []
    assert listing(misleading) == before


def test_pythonhome_does_not_reach_pip(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app, env={"PYTHONHOME": sys.base_prefix, "PYTHONPATH": os.pathsep.join(sys.path)}, status=None)
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0"}


def test_misleading_keys_in_configuration_files_have_no_effect(
    isolate, application, index, misleading, isolated_home, monkeypatch
):
    monkeypatch.delenv("PIP_CONFIG_FILE")
    text = (
        f"[global]\ntarget = {misleading}\nprefix = {misleading}\nuser = yes\n[install]\ndry-run = yes\nno-deps = yes\n"
    )
    (isolated_home / ".config/pip").mkdir(parents=True)
    (isolated_home / ".config/pip/pip.conf").write_text(text)
    before = listing(misleading)
    app = application({"requirements.txt": "beta==1.0\n"})
    isolate("sync", cwd=app)
    (app / ".venv/pip.conf").write_text(text)
    application({"requirements.txt": "beta==1.0\ndelta\n"})
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.1", "beta": "1.0", "delta": "1.0"}
    assert listing(misleading) == before
    assert (app / ".venv/pip.conf").read_text() == text


def test_modules_in_the_current_directory_are_not_imported(isolate, application, index, misleading):
    modules = {path.name: path.read_text() for path in misleading.glob("*.py") if path.stem in ("pip", "venv")}
    app = application({"requirements.txt": "alpha==1.0\n", **modules})
    script = "from isolate.fast_path import main; main()"
    done = subprocess.run(
        [sys.executable, "-I", "-c", script, "sync"], cwd=app, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert versions(app / ".venv") == {"alpha": "1.0"}


def test_no_index_is_honoured(isolate, application, index):
    app = application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app, env={"PIP_NO_INDEX": "1"}, status=2)
    assert index.requests == []


def test_the_password_of_an_index_is_used_and_never_written(isolate, application, tmp_path, index, cache, monkeypatch):
    directory = tmp_path / "private"
    build_wheel(directory, "secret", "1.0", requires=["depth"])
    build_wheel(directory, "depth", "1.0")
    app = application({"requirements.txt": "secret\n"})
    with LocalIndex(directory, credentials="me:hunter2").serving() as private:
        monkeypatch.setenv("PIP_INDEX_URL", private.url.replace("//", "//me:hunter2@"))
        result = isolate("sync", "-v", cwd=app)
        isolate("sync", "--upgrade", cwd=app)
    assert versions(app / ".venv") == {"secret": "1.0", "depth": "1.0"}
    written = [*app.rglob("*"), *cache.rglob("*")]
    assert not [path for path in written if path.is_file() and b"hunter2" in path.read_bytes()]
    assert "hunter2" not in result.out + result.err
    with LocalIndex(directory, credentials="me:other").serving() as private:
        monkeypatch.setenv("PIP_INDEX_URL", private.url.replace("//", "//me:hunter2@"))
        monkeypatch.setenv("ISOLATE_CACHE_DIR", str(tmp_path / "fresh"))
        result = isolate("sync", "--upgrade", cwd=app, status=2)
    assert "hunter2" not in result.out + result.err


def test_a_wheel_with_a_file_outside_its_prefix_is_refused(isolate, application, index, tmp_path):
    build_wheel(index.directory, "escape", "1.0", files={"../../../../../../escaped.py": "x"})
    app = application({"requirements.txt": "escape==1.0\n"})
    message = isolate("sync", cwd=app, status=2).err
    assert "escape" in message
    assert not (app / ".venv").exists()
    assert not list(tmp_path.rglob("escaped.py"))


@pytest.mark.parametrize("script", ["python", "activate"])
def test_a_script_that_would_replace_one_of_the_environment_is_refused(isolate, application, index, script):
    build_wheel(index.directory, "impostor", "1.0", scripts={script: "impostor:main"})
    app = application({"requirements.txt": "impostor==1.0\n"})
    message = isolate("sync", cwd=app, status=2).err
    assert "impostor" in message
    assert f"bin/{script}" in message
    assert not (app / ".venv").exists()
    other = application({"requirements.txt": "alpha==1.0\n"}, name="other")
    isolate("sync", cwd=other)
    application({"requirements.txt": "alpha==1.0\nimpostor==1.0\n"}, name="other")
    isolate("sync", cwd=other, status=2)
    assert versions(other / ".venv") == {"alpha": "1.0"}
    isolate("run", "--no-sync", "--", "python", "-c", "import alpha", cwd=other)


def test_a_script_never_replaces_that_of_pip(isolate, application, index):
    build_wheel(index.directory, "impostor", "1.0", scripts={"pip": "impostor:main"})
    app = application({"requirements.txt": "impostor==1.0\n"})
    assert "impostor and pip both install bin/pip" in isolate("sync", cwd=app).err
    done = subprocess.run([app / ".venv/bin/pip", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("pip ")
    isolate("check", "--hash", cwd=app)


def test_metadata_of_a_vendored_distribution_is_not_taken_for_that_of_its_vendor(isolate, application, index):
    vendored = "epsilon/_vendor/zeta-1.0.dist-info"
    files = {"epsilon/__init__.py": "", f"{vendored}/top_level.txt": "zeta\n"}
    build_wheel(index.directory, "epsilon", "1.0", files=files)
    app = application({"requirements.txt": "epsilon==1.0\n"})
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"epsilon": "1.0"}
    isolate("check", cwd=app)
    assert "nothing to do" in isolate("sync", cwd=app).out
    assert isolate("status", cwd=app).out


def test_a_pth_file_is_installed_as_pip_does_it(isolate, application, index):
    build_wheel(index.directory, "pointed", "1.0", files={"pointed.pth": "/nowhere\n"})
    app = application({"requirements.txt": "pointed==1.0\n"})
    isolate("sync", cwd=app)
    assert next(app.glob(".venv/lib/*/site-packages/pointed.pth")).read_text() == "/nowhere\n"
