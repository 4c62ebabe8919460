"""Fixtures that give each test a home, a cache and an index of its own, away from those of the user."""

from __future__ import annotations

import base64
import contextlib
import csv
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
sys.path.insert(0, str(TESTS))

from kit.git import commit, git  # noqa: E402
from kit.index import LocalIndex  # noqa: E402 - needs the path above
from kit.network import download  # noqa: E402 - needs the path above
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


MAX_CASES = int(os.environ.get("TEST_CASES", "2"))
"""How many cases of one test run if it starts the command for each; 0 for all, as `make test-all` sets it."""


SLOW_FIXTURES = frozenset({"isolate", "machine", "victim"})
"""The fixtures that start the command, once or many times. `make faults` runs every case of the last two."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out cases of tests with many slow ones, unless tests were named or all cases are asked for."""
    if not MAX_CASES or any("::" in argument for argument in config.args):
        return
    families: dict[str, list[pytest.Item]] = {}
    for item in items:
        if isinstance(item, pytest.Function) and not SLOW_FIXTURES.isdisjoint(item.fixturenames):
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
def seeded_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a cache whose store has pip for this interpreter, and nothing else."""
    directory = tmp_path_factory.mktemp("seeded")
    sync_once(directory, [""])
    before = contents_of_pip(directory / "cache")
    yield directory / "cache"
    assert contents_of_pip(directory / "cache") == before, "a test has changed files of pip that all tests share"


@pytest.fixture(scope="session")
def warm_cache(
    tmp_path_factory: pytest.TempPathFactory, seeded_cache: Path, shared_index: LocalIndex, packages: Path
) -> Path:
    """Return a cache whose store also has the packages of `index`, and what pip reported about them."""
    directory = tmp_path_factory.mktemp("warm")
    shutil.copytree(seeded_cache, directory / "cache", symlinks=True, copy_function=copy_or_link)
    shared_index.start_over(packages)
    sync_once(directory, PINS, **index_settings(shared_index))
    shutil.rmtree(directory / "cache/store-v1/environments")
    return directory / "cache"


PINS = (
    "",
    "alpha==1.0\nbeta==1.0\ngamma==1.0\ndelta==1.0\npayload==1.0\n",
    "alpha==2.0\nbeta==2.0\n",
    "alpha==1.1\n",
)
"""What the applications that fill the warm store require: nothing, or pins of every package of `index`.

A sync of such pins asks no index, and neither does one of no requirements; anything else is still resolved by pip.
"""


def environment_in(directory: Path) -> dict[str, str]:
    """Return the environment variables of a command whose home is *directory*, with the cache in it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(UNWANTED_VARIABLES)}
    return inherited | {
        "HOME": str(directory),
        "ISOLATE_CACHE_DIR": str(directory / "cache"),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "PIP_CONFIG_FILE": os.devnull,
        "PYTHONPATH": str(SOURCE),
    }


def sync_once(directory: Path, requirements: Sequence[str], **settings: str) -> None:
    """Fill *directory*/cache by a sync of an application for each of *requirements*, with more variables *settings*."""
    environ = {**environment_in(directory), **settings}
    applications = [directory / f"application-{number}" for number in range(len(requirements))]
    for application, text in zip(applications, requirements, strict=True):
        application.mkdir()
        (application / "requirements.txt").write_text(text)
    command = [sys.executable, "-m", "isolate", "sync", *map(str, applications)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=COMMAND_TIMEOUT, check=False)
    assert done.returncode == 0, done.stderr


def is_warm(request: pytest.FixtureRequest) -> bool:
    """Return whether the store of this test begins with the packages of `index`: see the marker `store`."""
    marker = request.node.get_closest_marker("store")
    return marker is not None and marker.args == ("warm",)


@pytest.fixture
def cache(request: pytest.FixtureRequest, isolated_home: Path, tmp_path: Path) -> Iterator[Path]:
    """Return the cache of this test: a copy of a seeded one, because tests damage files.

    The files of pip, of which there are about a thousand, are hard links, unless the marker `store` has `own_pip`.
    """
    del isolated_home
    seeded = request.getfixturevalue("warm_cache" if is_warm(request) else "seeded_cache")
    marker = request.node.get_closest_marker("store")
    has_own_pip = marker is not None and marker.kwargs.get("own_pip", False)
    before = states_of_pip(seeded)
    copy = shutil.copy2 if has_own_pip else copy_or_link
    shutil.copytree(seeded, tmp_path / "cache", symlinks=True, copy_function=copy)
    yield tmp_path / "cache"
    assert states_of_pip(seeded) == before, "the test has changed files of pip that all tests share"


PIP_FILE = re.compile(r"/entries/[^/]+/pip-[^/]+/files/")


def copy_or_link(source: str, target: str) -> None:
    """Link a file of pip, and copy any other one."""
    (os.link if PIP_FILE.search(source) else shutil.copy2)(source, target)


def files_of_pip(cache: Path) -> Iterator[str]:
    """Yield the path of every file in the entries of pip of *cache*."""
    for directory in cache.glob("store-v1/entries/*/pip-*/files"):
        for parent, _, names in os.walk(directory):
            yield from (f"{parent}/{name}" for name in names)


def states_of_pip(cache: Path) -> dict[str, tuple[int, ...]]:
    """Return the mode, owner, size and time of modification of every file of pip in *cache*."""
    found = {path: os.lstat(path) for path in files_of_pip(cache)}
    return {path: (it.st_mode, it.st_uid, it.st_gid, it.st_size, it.st_mtime_ns) for path, it in found.items()}


def contents_of_pip(cache: Path) -> dict[str, str]:
    """Return a digest of every file of pip in *cache*; an edit may keep the size and time of modification."""
    return {path: hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in files_of_pip(cache)}


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


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of the few packages that are in every `index`."""
    directory = tmp_path_factory.mktemp("packages")
    for version in ("1.0", "1.1", "2.0"):
        build_wheel(directory, "alpha", version, scripts={"alpha": "alpha:main"})
    build_wheel(directory, "beta", "1.0", requires=["alpha<2"])
    build_wheel(directory, "beta", "2.0", requires=["alpha>=2"])
    build_wheel(directory, "gamma", "1.0", extras={"speed": ["delta"]})
    build_wheel(directory, "delta", "1.0")
    build_wheel(directory, "payload", "1.0", files={"payload/__init__.py": "", "payload/data.txt": "data"})
    return directory


@pytest.fixture(scope="session")
def shared_index(packages: Path) -> Iterator[LocalIndex]:
    """Return an index that has the same URL for all tests with a warm store, which remembers locks by it."""
    with LocalIndex(packages).serving() as serving:
        yield serving


def index_settings(index: LocalIndex) -> dict[str, str]:
    """Return the environment variables that make pip use *index*."""
    return {"PIP_INDEX_URL": index.url, "PIP_RETRIES": "0"}


@pytest.fixture
def index(
    request: pytest.FixtureRequest, packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LocalIndex]:
    """Return an index with a few packages that pip is configured to use."""
    directory = tmp_path / "index"
    shutil.copytree(packages, directory)
    with contextlib.ExitStack() as stack:
        if is_warm(request):
            request.getfixturevalue("warm_cache")  # which is filled from the same index
            serving: LocalIndex = request.getfixturevalue("shared_index")
            serving.start_over(directory)
            stack.callback(serving.start_over, directory)
        else:
            serving = stack.enter_context(LocalIndex(directory).serving())
        for name, value in index_settings(serving).items():
            monkeypatch.setenv(name, value)
        yield serving


BACKENDS = ("setuptools", "wheel", "flit-core<4", "hatchling", "editables", "pdm-backend", "poetry-core==2.5.0", "pbr")
"""The build backends that tests use as they are published, and what hatchling needs for an editable install."""


@pytest.fixture(scope="session")
def backends(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with wheels of real build backends; skip the test if there is no package index.

    The index is asked once, by whichever process of the test run comes first.
    """
    base = tmp_path_factory.getbasetemp()
    directory = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "backends"
    directory.mkdir(exist_ok=True)
    with (directory / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        complete = directory / ".complete"
        if not complete.exists():
            complete.write_text("yes" if download(directory, *BACKENDS) else "no")
        if complete.read_text() == "no":
            pytest.skip("the package index cannot be reached")
    return directory


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
