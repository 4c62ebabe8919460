"""No entry of the store has the bytes of another distribution, although one pip installs several into one prefix."""

from __future__ import annotations

import hashlib
import json
import os

import pytest

from conftest import site
from isolate.store.manifest import read_manifest
from kit.packages import build_wheel

ALPHA, EVIL = "alpha = 1\n", "evil = 1\n"


def contents(cache, name):
    """Return the content of each file of the one entry of *name* in the store, by its path below site-packages."""
    [entry] = cache.glob(f"store-v1/entries/*/{name}-*")
    files = [file.path for file in read_manifest(entry / "manifest.json").files]
    return {path.partition("site-packages/")[2]: (entry / "files" / path).read_text() for path in files}


@pytest.mark.parametrize("declared", ["pinned", "hashed", "locked"])
@pytest.mark.parametrize("evil", ["aaa", "zzz"])
def test_an_entry_has_its_own_bytes(isolate, application, index, cache, declared, evil):
    wheels = [
        build_wheel(index.directory, "alpha", "9.0", files={"alpha.py": ALPHA, "own.py": "x = 1\n"}),
        build_wheel(index.directory, evil, "9.0", files={"alpha.py": EVIL}),
    ]
    if declared == "hashed":
        lines = [f"{wheel.name.partition('-')[0]}==9.0 --hash=sha256:{sha256(wheel)}" for wheel in wheels]
    else:
        lines = [f"{name}{'==9.0' if declared == 'pinned' else ''}" for name in ("alpha", evil)]
    isolate("sync", cwd=application({"requirements.txt": "\n".join([*lines, ""])}), status=None)
    assert contents(cache, "alpha")["alpha.py"] == ALPHA
    assert contents(cache, "alpha")["own.py"] == "x = 1\n"
    assert contents(cache, evil)["alpha.py"] == EVIL


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("evil", ["aaa", "zzz"])
def test_a_row_without_a_file_gets_none_from_another_distribution(isolate, application, index, cache, evil):
    build_wheel(index.directory, "alpha", "9.0", record=lambda rows: ["ghost.py,,", *rows])
    build_wheel(index.directory, evil, "9.0", files={"ghost.py": EVIL})
    isolate("sync", cwd=application({"requirements.txt": f"alpha==9.0\n{evil}==9.0\n"}), status=None)
    assert "ghost.py" not in contents(cache, "alpha")
    assert contents(cache, evil)["ghost.py"] == EVIL


@pytest.mark.parametrize("evil", ["aaa", "zzz"])
def test_files_of_the_pip_of_the_store_are_its_own(isolate, application, index, cache, evil):
    build_wheel(index.directory, evil, "9.0", files={"pip/__init__.py": EVIL})
    build_wheel(index.directory, "pip", "99.0", files={"pip/__init__.py": ALPHA})
    isolate("sync", cwd=application({"requirements.txt": f"pip==99.0\n{evil}==9.0\n"}), status=None)
    assert contents(cache, "pip-99.0")["pip/__init__.py"] == ALPHA
    assert contents(cache, evil)["pip/__init__.py"] == EVIL


@pytest.mark.parametrize("evil", ["aaa", "zzz"])
def test_a_file_where_another_has_a_directory_is_refused_by_name(isolate, application, index, evil):
    build_wheel(index.directory, "alpha", "9.0", files={"both/__init__.py": ALPHA})
    build_wheel(index.directory, evil, "9.0", files={"both": EVIL})
    app = application({"requirements.txt": f"alpha==9.0\n{evil}==9.0\n"})
    error = json.loads(isolate("sync", "--json", cwd=app, status=2).out)["error"]
    assert error["code"] == "invalid-distribution"
    assert "alpha" in error["message"]
    assert evil in error["message"]
    assert "/both" in error["message"]
    assert not os.path.lexists(app / ".venv")


@pytest.mark.parametrize("path", ["pip/__init__.py", "pip/evil.py"])
def test_the_pip_of_an_environment_cannot_be_overwritten(isolate, application, index, path):
    build_wheel(index.directory, "zzz", "9.0", files={path: EVIL}, scripts={"pip": "zzz:main"})
    app = application({"requirements.txt": "zzz==9.0\n"})
    message = isolate("sync", cwd=app).err
    assert "warning: zzz and pip both install bin/pip" in message
    assert EVIL not in (site(app) / "pip/__init__.py").read_text()
    isolate("run", "--", "python", "-m", "pip", "--version", cwd=app)
    assert isolate("check", "--hash", cwd=app).out.startswith("OK: 1 package")
    before = (app / ".venv/bin/pip").read_bytes()
    application({"requirements.txt": "alpha==1.0\n"})
    isolate("sync", cwd=app)
    assert (app / ".venv/bin/pip").read_bytes() == before
    assert isolate("check", "--hash", cwd=app).out.startswith("OK: 1 package")
    application({"requirements.txt": "alpha==1.0\nzzz==9.0\n"})
    assert "zzz and pip both install bin/pip" in isolate("sync", cwd=app).err
    assert (app / ".venv/bin/pip").read_bytes() == before
