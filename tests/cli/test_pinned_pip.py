"""An application that pins pip resolves with that pip, and no other application gets its answers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import conftest
import pip
from kit.packages import build_wheel

TRACE = """
import sys as _sys
with open({log!r}, "a") as _log:
    _log.write(f"{version} {{' '.join(_sys.argv)}}\\n")
"""


def build_pip(directory, version, log, *, start=""):
    """Write a wheel of isolate's own pip under another *version*, which appends to *log* when it is imported."""
    root = Path(pip.__file__).parent
    files = {f"pip/{path.relative_to(root)}": path.read_bytes() for path in root.rglob("*.py")}
    files |= {f"pip/{path.relative_to(root)}": path.read_bytes() for path in root.rglob("*.pem")}
    code = files["pip/__init__.py"].replace(pip.__version__.encode(), version.encode())
    files["pip/__init__.py"] = code + (start + TRACE.format(log=str(log), version=version)).encode()
    return build_wheel(directory, "pip", version, files=files, scripts={"pip": "pip._internal.cli.main:main"})


def versions(venv):
    """Return the versions of the distributions in an environment, its pip included."""
    (info,) = venv.glob("lib/*/site-packages/pip-*.dist-info")
    return {**conftest.versions(venv), "pip": info.name.removeprefix("pip-").removesuffix(".dist-info")}


@pytest.fixture
def log(index, tmp_path):
    log = tmp_path / "pip.log"
    build_pip(index.directory, "25.9", log)
    return log


@pytest.mark.parametrize(
    "files",
    [
        {"requirements.txt": "pip==25.9\nbeta\n"},
        {
            "requirements.txt": "pip\nbeta\n",
            "constraints.txt": "pip==25.9\n",
            "pyproject.toml": '[tool.isolate]\nconstraints = ["constraints.txt"]\n',
        },
    ],
)
def test_the_pinned_pip_is_in_the_environment_and_resolves(isolate, application, log, index, files):
    app = application(files)
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "2.0", "beta": "2.0", "pip": "25.9"}
    assert [line for line in log.read_text().splitlines() if "--dry-run" in line]
    assert isolate("check", cwd=app).out.startswith("OK: ")
    started = log.read_text()
    assert "nothing to do" in isolate("sync", cwd=app).out
    isolate("lock", "--upgrade-package", "beta", cwd=app)
    other = application({"requirements.txt": "beta\nalpha\n"}, name="other")
    isolate("sync", cwd=other)
    assert log.read_text().count("\n") > started.count("\n"), "an upgrade asks it again"
    assert versions(other / ".venv") == {"alpha": "2.0", "beta": "2.0", "pip": pip.__version__}


def test_the_store_is_filled_by_the_seed(isolate, application, log, index, cache):
    app = application({"requirements.txt": "pip==25.9\nbeta==2.0\nalpha==2.0\n"})
    isolate("sync", cwd=app)
    assert all("--dry-run" in line or "--version" in line for line in log.read_text().splitlines())
    manifests = [json.loads(path.read_bytes()) for path in cache.glob("store-*/entries/*/*/manifest.json")]
    assert {manifest["pip"] for manifest in manifests if manifest["name"] in ("alpha", "beta")} == {pip.__version__}


def test_its_answers_are_not_shared(isolate, application, log, index):
    app = application({"requirements.txt": "pip==25.9\nbeta\n"})
    isolate("sync", cwd=app)
    copy = application({"requirements.txt": "pip==25.9\nbeta\n"}, name="copy")
    index.requests.clear()
    before = log.read_text().count("--dry-run")
    isolate("sync", cwd=copy)
    assert log.read_text().count("--dry-run") == before + 1


def test_a_command_that_only_looks_does_not_run_it(isolate, application, log, index):
    app = application({"requirements.txt": "pip==25.9\nbeta\n"})
    isolate("sync", "--dry-run", cwd=app)
    isolate("lock", "--check", cwd=app, status=None)
    assert not log.exists()


def test_a_pip_without_reports_does_not_resolve(isolate, application, log, index):
    build_pip(index.directory, "22.1", log)
    app = application({"requirements.txt": "pip==22.1\nbeta\n"})
    message = isolate("sync", cwd=app).err
    assert f"pip 22.1 cannot report what it would install, as 22.2 can: pip {pip.__version__} resolves" in message
    assert versions(app / ".venv") == {"alpha": "2.0", "beta": "2.0", "pip": "22.1"}
    assert not log.exists()


def test_a_pip_that_does_not_run_does_not_resolve(isolate, application, log, index):
    build_pip(index.directory, "25.8", log, start="raise ImportError('no ImpImporter')\n")
    app = application({"requirements.txt": "pip==25.8\nbeta\n"})
    assert "pip 25.8 does not run on Python 3" in isolate("sync", cwd=app).err
    assert versions(app / ".venv")["pip"] == "25.8"


def test_a_pin_that_does_not_exist_is_named(isolate, application, log, index):
    app = application({"requirements.txt": "pip==25.7\nbeta\n"})
    message = isolate("sync", cwd=app, status=2).err
    assert "pip==25.7 does not exist" in message
    assert "pip==25.7 (requirements.txt:1)" in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("setuptools==65\nwheel\nalpha==1.0\n", {"setuptools": "65", "wheel": "0.40", "alpha": "1.0"}),
        ("pip\nalpha==1.0\n", {"pip": "25.9", "alpha": "1.0"}),
        ("needy\n", {"needy": "1.0", "pip": "25.9"}),
    ],
)
def test_what_belongs_to_packaging_is_a_package_like_any_other(isolate, application, log, index, text, expected):
    build_wheel(index.directory, "setuptools", "65", files={"setuptools/__init__.py": "", "hook.pth": "import sys\n"})
    build_wheel(index.directory, "wheel", "0.40")
    build_wheel(index.directory, "needy", "1.0", requires=["pip>=20"])
    app = application({"requirements.txt": text})
    isolate("sync", cwd=app)
    found = versions(app / ".venv")
    assert found == {"pip": pip.__version__, **expected}
    assert isolate("check", cwd=app).out.startswith("OK: ")
    assert not log.exists(), "a version that is open is resolved by the seed"
    (app / "requirements.txt").write_text("alpha==1.0\n")
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0", "pip": pip.__version__}
    shutil.rmtree(app / ".venv")
    isolate("sync", "--offline", cwd=app)


def test_a_constraint_alone_brings_no_pip(isolate, application, log, index):
    files = {"pyproject.toml": '[tool.isolate]\nconstraints = ["constraints.txt"]\n', "constraints.txt": "pip==25.9\n"}
    app = application({**files, "requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0", "pip": pip.__version__}
    assert isolate("check", cwd=app).out.startswith("OK: ")
