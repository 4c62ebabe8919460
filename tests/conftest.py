"""Fixtures that give each test a home, a cache and an index of its own, away from those of the user."""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
sys.path.insert(0, str(TESTS))

from kit.git import commit, git  # noqa: E402
from kit.index import LocalIndex  # noqa: E402 - needs the path above
from kit.packages import build_wheel  # noqa: E402 - needs the path above

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell ignores it for jobs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)

UNWANTED_VARIABLES = (
    "PIP_",
    "PYTHON",
    "VIRTUAL_ENV",
    "ISOLATE_",
    "UV_",
    "CONDA_",
    "XDG_",
    "PYENV_",
    "MISE_",
    "ASDF_",
)
"""Prefixes of the environment variables that no test inherits."""

SOURCE = TESTS.parent / "src"
COMMAND_TIMEOUT = 120.0
"""Seconds that one run of the command may take in a test."""


@dataclass(frozen=True)
class Result:
    """The result of a run of the command."""

    status: int
    out: str
    err: str


MAX_CASES = int(os.environ.get("TEST_CASES", "3"))
"""How many cases of one test run if it starts the command for each; 0 for all, as `make test-all` sets it."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out cases of tests with many slow ones, unless tests were named or all cases are asked for."""
    if not MAX_CASES or any("::" in argument for argument in config.args):
        return
    families: dict[str, list[pytest.Item]] = {}
    for item in items:
        if isinstance(item, pytest.Function) and "isolate" in item.fixturenames:
            families.setdefault(item.nodeid.partition("[")[0], []).append(item)
    kept = {item for family in families.values() for item in spread(family, MAX_CASES)}
    left_out = {item for family in families.values() for item in family} - kept
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = [item for item in items if item not in left_out]


def spread(family: list[pytest.Item], number: int) -> list[pytest.Item]:
    """Return *number* items of *family*, at equal distances, or all if there are not as many."""
    return family if len(family) <= number else [family[len(family) * at // number] for at in range(number)]


def user_directories() -> tuple[Path, ...]:
    """Return the default cache and state directories of the user who runs the tests."""
    import platformdirs

    return tuple(
        Path(directory("isolate", appauthor=False))
        for directory in (platformdirs.user_cache_dir, platformdirs.user_state_dir)
    )


def listing(*directories: Path) -> list[str]:
    """Return every path below *directories*."""
    return sorted(str(path) for directory in directories for path in directory.rglob("*"))


@pytest.fixture(scope="session", autouse=True)
def _untouched_user() -> Iterator[None]:
    before = listing(*user_directories())
    yield
    assert listing(*user_directories()) == before, "a test has changed the user's cache or state"


@pytest.fixture(autouse=True)
def isolated_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a home and a cache of its own, without inherited settings; return the home."""
    for name in list(os.environ):
        if name.startswith(UNWANTED_VARIABLES):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("ISOLATE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]))
    return home


@pytest.fixture(scope="session")
def seeded_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache whose store has pip for this interpreter, and nothing else."""
    directory = tmp_path_factory.mktemp("seeded")
    application = directory / "application"
    application.mkdir()
    (application / "requirements.txt").write_text("")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(UNWANTED_VARIABLES)}
    environ |= {"ISOLATE_CACHE_DIR": str(directory / "cache"), "PIP_CONFIG_FILE": os.devnull, "PYTHONPATH": str(SOURCE)}
    environ |= {"HOME": str(directory)}
    environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"])
    command = [sys.executable, "-m", "isolate", "sync", str(application)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=COMMAND_TIMEOUT, check=False)
    assert done.returncode == 0, done.stderr
    return directory / "cache"


@pytest.fixture
def cache(isolated_home: Path, seeded_cache: Path, tmp_path: Path) -> Path:
    """Return the cache of this test: a copy of the seeded one without hard links, because tests damage files."""
    del isolated_home
    shutil.copytree(seeded_cache, tmp_path / "cache", symlinks=True)
    return tmp_path / "cache"


@pytest.fixture
def isolate(cache: Path, tmp_path: Path) -> Callable[..., Result]:
    """Return a function that runs the command in a process of its own and checks its exit status (0 by default)."""
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
            timeout=COMMAND_TIMEOUT,
            check=False,
        )
        result = Result(done.returncode, done.stdout, done.stderr)
        assert status is None or result.status == status, f"{result.status}\n{result.out}\n{result.err}"
        assert "Traceback" not in result.err
        return result

    return run


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalIndex]:
    """Return an index with a few packages that pip is configured to use."""
    directory = tmp_path / "index"
    for version in ("1.0", "1.1", "2.0"):
        build_wheel(directory, "alpha", version, scripts={"alpha": "alpha:main"})
    build_wheel(directory, "beta", "1.0", requires=["alpha<2"])
    build_wheel(directory, "beta", "2.0", requires=["alpha>=2"])
    build_wheel(directory, "gamma", "1.0", extras={"speed": ["delta"]})
    build_wheel(directory, "delta", "1.0")
    with LocalIndex(directory).serving() as serving:
        monkeypatch.setenv("PIP_INDEX_URL", serving.url)
        monkeypatch.setenv("PIP_RETRIES", "0")
        yield serving


@pytest.fixture
def application(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes the files of an application and returns its directory."""

    def write(files: Mapping[str, str] | None = None, *, name: str = "app", **more: str) -> Path:
        root = tmp_path / name
        root.mkdir(parents=True, exist_ok=True)
        for path, text in {**(files or {}), **{key.replace("__", "."): value for key, value in more.items()}}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        return root

    return write


@pytest.fixture
def repository(application: Callable[..., Path], index: LocalIndex) -> Path:
    """Return a repository with three applications, and with directories that are not part of it."""
    del index
    application({"requirements.txt": "alpha==1.0\n"}, name="repo/services/shop")
    application({"requirements.txt": "alpha==2.0\nbeta==2.0\n"}, name="repo/services/shop/admin")
    application({"pyproject.toml": '[project]\nname = "tool"\ndependencies = ["beta<2"]\n'}, name="repo/tools")
    application({"requirements.txt": "alpha==9.9\n"}, name="repo/node_modules/theirs")
    application({"requirements.txt": "alpha==9.9\n"}, name="repo/.hidden")
    application({"requirements.txt": "alpha==9.9\n", "pyvenv.cfg": ""}, name="repo/environment")
    return application({"pyproject.toml": "[tool.other]\nkey = 1\n"}, name="repo")


@pytest.fixture
def superproject(application: Callable[..., Path]) -> Path:
    """Return a git repository with one application, two in a submodule, and one in an ignored repository."""
    application({"requirements.txt": ""}, name="origin/in")
    origin = application({"requirements.txt": "", ".gitignore": "/out/\n"}, name="origin/out").parent
    (origin / ".gitignore").write_text("/out/\n")
    git(origin, "init")
    commit(origin)
    application({"requirements.txt": ""}, name="repo/own")
    application({"requirements.txt": ""}, name="repo/clones/other/app")
    root = application({".gitignore": "/clones/\n"}, name="repo")
    git(root / "clones/other", "init")
    git(root, "init")
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", str(origin), "sub")
    application({"requirements.txt": ""}, name="repo/sub/out")
    commit(root)
    return root


def site(app: Path) -> Path:
    """Return the site-packages of the environment of the application *app*."""
    return next(app.glob(".venv/lib/*/site-packages"))


def inconsistencies(venv: Path) -> list[str]:
    """Return the faults of an environment by its RECORD files.

    A fault is a missing file, a file with a different hash, a missing RECORD, or a second metadata directory of a
    distribution.
    """
    faults = []
    for site in venv.glob("lib/*/site-packages"):
        names = [path.name.partition("-")[0].lower() for path in site.glob("*.dist-info")]
        faults += [f"{name} twice" for name in set(names) if names.count(name) > 1]
        for info in site.glob("*.dist-info"):
            if not (info / "RECORD").exists():
                faults.append(f"{info.name} has no RECORD")
                continue
            for path, value, *_ in csv.reader((info / "RECORD").read_text().splitlines()):
                faults += _row_faults(site / path, value)
    return faults


def _row_faults(file: Path, value: str) -> list[str]:
    if not file.exists():
        return [f"{file} is missing"]
    digest = base64.urlsafe_b64encode(hashlib.sha256(file.read_bytes()).digest()).rstrip(b"=").decode()
    return [f"{file} has a different hash"] if value and value != f"sha256={digest}" else []


def versions(venv: Path) -> dict[str, str]:
    """Return the versions of the distributions in an environment, without its pip."""
    by_name = {}
    for info in venv.glob("lib/*/site-packages/*.dist-info"):
        name, _, version = info.name.removesuffix(".dist-info").partition("-")
        by_name[name] = version
    by_name.pop("pip", None)
    return by_name
