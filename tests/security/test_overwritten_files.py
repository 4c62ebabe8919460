"""No entry of the store has the bytes of another distribution, although one pip installs several into one prefix."""

from __future__ import annotations

import hashlib

import pytest

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
