"""Tests build real things, and cannot touch what belongs to whoever runs them."""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from kit.index import LocalIndex  # noqa: E402
from kit.packages import build_wheel  # noqa: E402

LEADS_ASTRAY = ("PIP_", "PYTHON", "VIRTUAL_ENV", "ISOLATE_", "UV_", "CONDA_", "XDG_", "PYENV_", "MISE_", "ASDF_")
SOURCE = HERE.parent / "src"
LONGEST = 120.0
"""Seconds that any one run of the command may take in a test."""


@dataclass(frozen=True)
class Result:
    """How a run of the command ended."""

    status: int
    out: str
    err: str


def users_cache() -> Path:
    """Return the cache directory of whoever runs the tests."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("isolate", appauthor=False))


def listing(folder: Path) -> list[str]:
    """Return every path below *folder*."""
    return sorted(str(path) for path in folder.rglob("*"))


@pytest.fixture(scope="session", autouse=True)
def _untouched_cache() -> Iterator[None]:
    before = listing(users_cache())
    yield
    assert listing(users_cache()) == before, "a test has touched the cache of whoever runs the tests"


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a home and a cache of its own, and nothing that leads astray; return the home."""
    for name in list(os.environ):
        if name.startswith(LEADS_ASTRAY):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("ISOLATE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]))
    return home


@pytest.fixture(scope="session")
def bootstrap_installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache whose store holds pip for this interpreter, and nothing else."""
    folder = tmp_path_factory.mktemp("seeded")
    application = folder / "application"
    application.mkdir()
    (application / "requirements.txt").write_text("")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(LEADS_ASTRAY)}
    environ |= {"ISOLATE_CACHE_DIR": str(folder / "cache"), "PIP_CONFIG_FILE": os.devnull, "PYTHONPATH": str(SOURCE)}
    environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"])
    command = [sys.executable, "-m", "isolate", "sync", str(application)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=LONGEST, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "cache"


@pytest.fixture
def cache(surroundings: Path, bootstrap_installed: Path, tmp_path: Path) -> Path:
    """Return this test's own cache: a copy, no links, since tests spoil files."""
    del surroundings
    shutil.copytree(bootstrap_installed, tmp_path / "cache", symlinks=True)
    return tmp_path / "cache"


@pytest.fixture
def isolate(cache: Path, tmp_path: Path) -> Callable[..., Result]:
    """Return what runs the command as a user does, as a process of its own, and expects the exit status it is told."""
    del cache

    def run(
        *arguments: str | Path, cwd: Path = tmp_path, status: int | None = 0, env: Mapping[str, str] | None = None
    ) -> Result:
        done = subprocess.run(
            [sys.executable, "-m", "isolate", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(SOURCE), **(env or {})},
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        result = Result(done.returncode, done.stdout, done.stderr)
        assert status is None or result.status == status, f"{result.status}\n{result.out}\n{result.err}"
        assert "Traceback" not in result.err
        return result

    return run


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalIndex]:
    """Serve an index with a few packages, which pip is told to use."""
    folder = tmp_path / "index"
    for version in ("1.0", "1.1", "2.0"):
        build_wheel(folder, "alpha", version, scripts={"alpha": "alpha:main"})
    build_wheel(folder, "beta", "1.0", requires=["alpha<2"])
    build_wheel(folder, "beta", "2.0", requires=["alpha>=2"])
    build_wheel(folder, "gamma", "1.0", extras={"speed": ["delta"]})
    build_wheel(folder, "delta", "1.0")
    with LocalIndex(folder).serving() as serving:
        monkeypatch.setenv("PIP_INDEX_URL", serving.url)
        monkeypatch.setenv("PIP_RETRIES", "0")
        yield serving


@pytest.fixture
def application(tmp_path: Path) -> Callable[..., Path]:
    """Return what writes an application's files and returns its directory."""

    def write(files: Mapping[str, str] | None = None, *, name: str = "app", **more: str) -> Path:
        root = tmp_path / name
        root.mkdir(parents=True, exist_ok=True)
        for path, text in {**(files or {}), **{key.replace("__", "."): value for key, value in more.items()}}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        return root

    return write


def inconsistencies(venv: Path) -> list[str]:
    """Return what is wrong in an environment by its own RECORDs: rows without their file, files without their hash, two
    metadata directories of one distribution."""
    wrong = []
    for site in venv.glob("lib/*/site-packages"):
        names = [path.name.partition("-")[0].lower() for path in site.glob("*.dist-info")]
        wrong += [f"{name} twice" for name in set(names) if names.count(name) > 1]
        for info in site.glob("*.dist-info"):
            if not (info / "RECORD").exists():
                wrong.append(f"{info.name} has no RECORD")
                continue
            for path, value, *_ in csv.reader((info / "RECORD").read_text().splitlines()):
                wrong += _wrong_row(site / path, value)
    return wrong


def _wrong_row(file: Path, value: str) -> list[str]:
    if not file.exists():
        return [f"{file} is missing"]
    digest = base64.urlsafe_b64encode(hashlib.sha256(file.read_bytes()).digest()).rstrip(b"=").decode()
    return [f"{file} has another hash"] if value and value != f"sha256={digest}" else []


def versions(venv: Path) -> dict[str, str]:
    """Return what is installed in an environment, its pip aside."""
    found = {}
    for info in venv.glob("lib/*/site-packages/*.dist-info"):
        name, _, version = info.name.removesuffix(".dist-info").partition("-")
        found[name] = version
    found.pop("pip", None)
    return found
