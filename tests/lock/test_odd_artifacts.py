"""Artifacts that pip installs and a lock cannot simply name: odd sdists, wheelhouses, repositories beside hashes."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tarfile
import zipfile

import pytest

from conftest import versions
from kit.git import commit, git
from kit.packages import build_sdist, build_tree, build_wheel

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def odd_sdist(directory, version, filename, tmp_path):
    """Write an sdist of `odd` in *version* into *directory* as *filename*, in the format that its suffix says."""
    built = build_sdist(tmp_path / "built", "odd", version)
    with tarfile.open(built) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    [tree] = (tmp_path / "unpacked").iterdir()
    files = [path for path in sorted(tree.rglob("*")) if path.is_file()]
    if filename.endswith(".zip"):
        with zipfile.ZipFile(directory / filename, "w") as archive:
            for path in files:
                archive.write(path, path.relative_to(tree.parent))
        return
    mode = {".gz": "w:gz", ".tgz": "w:gz", ".xz": "w:xz", ".bz2": "w:bz2"}["." + filename.rpartition(".")[2]]
    with tarfile.open(directory / filename, mode) as archive:
        for path in files:
            archive.add(path, path.relative_to(tree.parent))


@pytest.mark.parametrize("pins", [0, 8])
@pytest.mark.parametrize(
    ("version", "filename"),
    [
        ("1.0b1", "odd-1.0-beta1.tar.gz"),
        ("1.0.post1", "odd-1.0-1.tar.gz"),
        ("1.0", "odd-1.0.tar.xz"),
        ("1.0", "odd-1.0.tar.bz2"),
        ("1.0", "odd-1.0.tgz"),
        ("1.0", "odd-1.0.zip"),
        ("1.0", "Odd-1.0.tar.gz"),
    ],
)
def test_an_oddly_named_sdist_is_locked_and_installed(isolate, application, index, tmp_path, version, filename, pins):
    odd_sdist(index.directory, version, filename, tmp_path)
    for number in range(pins):
        build_wheel(index.directory, f"pin{number}", "1.0")
    lines = "".join(f"pin{number}==1.0\n" for number in range(pins))
    app = application({"requirements.txt": f"odd=={version}\n{lines}" if pins else f"odd>=1.0b0,<={version}\n"})
    isolate("sync", cwd=app)
    assert versions(app / ".venv")["odd"] == version
    isolate("check", cwd=app)
    isolate("lock", cwd=app)
    isolate("sync", "--locked", cwd=app)


@pytest.mark.parametrize("declared", ["--no-index\n--find-links ./wheels\n", "--no-index\n-f wheels\n"])
def test_a_wheelhouse_in_the_application_is_locked_relative_to_it(isolate, application, tmp_path, declared):
    app = application({"requirements.txt": f"{declared}alpha\nmade\n"}, name="first")
    build_wheel(app / "wheels", "alpha", "1.0")
    sdist = build_sdist(tmp_path / "built", "made", "1.0")
    shutil.copy(sdist, app / "wheels")
    isolate("sync", cwd=app)
    lock = (app / "pylock.toml").read_text()
    assert 'path = "wheels/alpha-1.0-py3-none-any.whl"' in lock
    assert 'path = "wheels/made-1.0.tar.gz"' in lock
    assert str(tmp_path) not in lock
    moved = shutil.copytree(app, tmp_path / "second", ignore=shutil.ignore_patterns(".venv"))
    shutil.rmtree(app)
    isolate("sync", "--locked", cwd=moved)
    assert versions(moved / ".venv") == {"alpha": "1.0", "made": "1.0"}
    assert (moved / "pylock.toml").read_text() == lock
    isolate("check", cwd=moved)


def test_a_lock_with_urls_of_a_wheelhouse_stays_valid(isolate, application, tmp_path):
    app = application({"requirements.txt": "--no-index\n--find-links ./wheels\nalpha\n"})
    wheel = build_wheel(app / "wheels", "alpha", "1.0")
    isolate("sync", cwd=app)
    lock = app / "pylock.toml"
    lock.write_text(lock.read_text().replace('path = "wheels/', f'url = "{wheel.parent.as_uri()}/'))
    before = lock.read_bytes()
    isolate("sync", "--locked", cwd=app)
    assert lock.read_bytes() == before


@pytest.fixture
def repository(tmp_path):
    """Return the URL of a git repository with the project `tracked`, and its commit."""
    tree = build_tree(tmp_path / "repository", "tracked", "1.0", requires=["alpha"])
    git(tree, "init", "--initial-branch=main")
    commit(tree)
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=tree, check=True, capture_output=True, text=True).stdout
    return f"git+{tree.as_uri()}", revision.strip()


def hash_of(index, file):
    return f"--hash=sha256:{hashlib.sha256((index.directory / file).read_bytes()).hexdigest()}"


@needs_git
def test_a_hash_on_one_requirement_and_a_commit_on_another(isolate, application, index, repository):
    url, revision = repository
    alpha = f"alpha==1.0 {hash_of(index, 'alpha-1.0-py3-none-any.whl')}\n"
    app = application({"requirements.txt": f"{alpha}tracked @ {url}@{revision}\n"})
    isolate("sync", cwd=app)
    assert versions(app / ".venv") == {"alpha": "1.0", "tracked": "1.0"}
    isolate("check", cwd=app)


@needs_git
@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("{beta}tracked @ {url}@{revision}\n", "alpha=="),
        ("{alpha}beta==1.0\ntracked @ {url}@{revision}\n", "needs a hash"),
        ("{alpha}tracked @ {url}@main\n", "the full commit"),
        ("{alpha}tracked @ {url}\n", "the full commit"),
        ("{wrong}tracked @ {url}@{revision}\n", "hash"),
        ("--require-hashes\n{alpha}tracked @ {url}@{revision}\n", "repositories cannot have a hash"),
    ],
)
def test_everything_else_still_needs_a_hash(isolate, application, index, repository, lines, message):
    url, revision = repository
    alpha = f"alpha==1.0 {hash_of(index, 'alpha-1.0-py3-none-any.whl')}\n"
    beta = f"delta==1.0 {hash_of(index, 'delta-1.0-py3-none-any.whl')}\n"
    wrong = f"alpha==1.0 {hash_of(index, 'alpha-2.0-py3-none-any.whl')}\n"
    text = lines.format(alpha=alpha, beta=beta, wrong=wrong, url=url, revision=revision)
    app = application({"requirements.txt": text})
    assert message in isolate("sync", cwd=app, status=2).err
    assert not (app / "pylock.toml").exists()


def test_a_hash_on_one_requirement_and_a_source_tree(isolate, application, index):
    alpha = f"alpha==1.0 {hash_of(index, 'alpha-1.0-py3-none-any.whl')}\n"
    app = application({"requirements.txt": f"{alpha}-e ./lib\n"})
    build_tree(app / "lib", "lib", "1.0", requires=["alpha"])
    isolate("sync", cwd=app)
    assert re.search("1.0", versions(app / ".venv")["lib"])
